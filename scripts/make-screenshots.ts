/** `npm run screenshots`: every view of the web app, light and dark, wide and narrow, into `.cache/screenshots/`. */
import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { findProgram } from '../test/services/find-program.ts';
import { installPackage } from '../test/services/install-package.ts';
import { fillAccount } from '../test/web/fill-account.ts';
import { openView, type View, views } from '../test/web/views.ts';
import { startWebSession } from '../test/web/web-session.ts';
import { repositoryRoot, runTool } from './run-step.ts';

const folder = path.join(repositoryRoot, '.cache', 'screenshots');
const sizes = [
  { name: 'wide', width: 1440, height: 900 },
  { name: 'narrow', width: 390, height: 844 },
] as const;

const { values, positionals } = parseArgs({
  options: { language: { type: 'string', default: 'en-US' } },
  allowPositionals: true,
});
/** Only views whose name holds this text: `npm run screenshots -- playground`. */
const wanted = positionals[0] ?? '';
/** `npm run screenshots -- --language zh-CN`: without the steps that are taken by their English names. */
const locale = values.language;
const isEnglish = locale.startsWith('en');

function isWanted({ name, prepare }: View): boolean {
  return name.includes(wanted) && (isEnglish || prepare === undefined);
}

/** Without one a browser shows empty boxes. */
function installChineseFont(): void {
  const fontList = findProgram(['fc-list']);
  const isInstalled = fontList !== undefined && execFileSync(fontList, [':lang=zh', 'family']).length > 0;
  if (!isInstalled) installPackage('fonts-noto-cjk', 'a Chinese font');
}

// In a process of its own: Vite would stay in this one, between the server and its modules.
if ((await runTool('node', ['scripts/build-web.ts'])) !== 0) process.exit(1);
if (locale.startsWith('zh')) installChineseFont();
await mkdir(folder, { recursive: true });
const session = await startWebSession();
try {
  const filled = await fillAccount(session);
  for (const view of [...views, ...filled].filter(isWanted)) {
    for (const size of sizes) {
      for (const theme of ['light', 'dark'] as const) {
        await using opened = await session.openPage({
          isGuest: view.isGuest ?? false,
          theme,
          locale,
          ...size,
        });
        await openView(opened.page, session.origin, view);
        const file = path.join(
          folder,
          `${view.name}-${size.name}-${theme}${isEnglish ? '' : `-${locale}`}.png`,
        );
        await opened.page.screenshot({ path: file });
        process.stdout.write(`${path.relative(repositoryRoot, file)}\n`);
      }
    }
  }
} finally {
  await session.close();
}
