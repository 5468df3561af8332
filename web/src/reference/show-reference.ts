/**
 * The page in the frame of the API reference. Scalar's bundle is copied as it is and told to reach no other host: no
 * telemetry, no fonts, no agent, no proxy.
 */
import '../fonts.css';
import scalarUrl from '../../../node_modules/@scalar/api-reference/dist/browser/standalone.js?url';
import { readPreference } from '../preferences.ts';

interface Scalar {
  createApiReference(selector: string, configuration: object): unknown;
}

declare global {
  interface Window {
    readonly Scalar?: Scalar;
  }
}

const chosenTheme = readPreference('theme');
const isDark =
  chosenTheme === 'dark' ||
  (chosenTheme !== 'light' && window.matchMedia('(prefers-color-scheme: dark)').matches);

const script = document.createElement('script');
script.src = scalarUrl;
script.addEventListener('load', () => {
  window.Scalar?.createApiReference('#reference', {
    url: '/openapi.json',
    servers: [{ url: window.location.origin }],
    forceDarkModeState: isDark ? 'dark' : 'light',
    hideDarkModeToggle: true,
    withDefaultFonts: false,
    telemetry: false,
    agent: { disabled: true },
    mcp: { disabled: true },
    showDeveloperTools: 'never',
    theme: 'default',
    customCss:
      ':root { --scalar-font: Geist, system-ui, sans-serif; --scalar-font-code: "Geist Mono", ui-monospace, monospace; }',
  });
});
document.head.append(script);
