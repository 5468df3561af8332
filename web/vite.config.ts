/** How `web/` becomes the files that the server sends below `/app/`. `scripts/build-web.ts` calls it. */
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** The two fonts of the first view are asked for with the page, so that text need not be set twice. */
const preloadedFont = /geist(-mono)?-latin-wght-normal-.*\.woff2$/;

function preloadFonts(): Plugin {
  return {
    name: 'preload-fonts',
    transformIndexHtml: {
      order: 'post',
      handler: (_html, { bundle }) =>
        Object.keys(bundle ?? {})
          .filter((file) => preloadedFont.test(file))
          .map((file) => ({
            tag: 'link',
            attrs: { rel: 'preload', as: 'font', type: 'font/woff2', crossorigin: '', href: `/app/${file}` },
            injectTo: 'head-prepend' as const,
          })),
    },
  };
}

/** KaTeX offers each font in three formats; every browser that this app supports reads the first. */
function dropOldFontFormats(): Plugin {
  return {
    name: 'drop-old-font-formats',
    enforce: 'pre',
    transform: {
      filter: { id: /katex\.min\.css/ },
      handler: (code) => code.replaceAll(/,url\([^)]+\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)/g, ''),
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  base: '/app/',
  plugins: [react(), tailwindcss(), preloadFonts(), dropOldFontFormats()],
  resolve: {
    alias: {
      // Its form for browsers lets the page parse KaTeX's output, whose style attributes the page's policy then reports.
      'hast-util-from-html-isomorphic': `${import.meta.dirname}/../node_modules/hast-util-from-html-isomorphic/index.js`,
    },
  },
  build: {
    outDir: 'dist',
    rolldownOptions: {
      input: [`${import.meta.dirname}/index.html`, `${import.meta.dirname}/reference.html`],
    },
    emptyOutDir: true,
    manifest: true,
    // Baseline of 2024: `light-dark()` and nesting need no translation.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    // The polyfill would be an inline script, and every target preloads modules itself.
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1_000,
  },
  server: {
    // `npx vite web` beside a running server: only for work on the app itself.
    proxy: Object.fromEntries(
      ['/api', '/v1', '/v2', '/models', '/health', '/ready', '/openapi.json'].map((path) => [
        path,
        { target: 'http://127.0.0.1:8787', changeOrigin: false },
      ]),
    ),
  },
});
