/** `npm run screenshots`: every view of the web app, light and dark, wide and narrow, into `.cache/screenshots/`. */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { fillAccount } from '../test/web/fill-account.ts';
import { openView, views } from '../test/web/views.ts';
import { startWebSession } from '../test/web/web-session.ts';
import { repositoryRoot, runTool } from './run-step.ts';

const folder = path.join(repositoryRoot, '.cache', 'screenshots');
const sizes = [
  { name: 'wide', width: 1440, height: 900 },
  { name: 'narrow', width: 390, height: 844 },
] as const;

/** Only views whose name holds this text: `npm run screenshots -- playground`. */
const wanted = process.argv[2] ?? '';

// In a process of its own: Vite would stay in this one, between the server and its modules.
if ((await runTool('node', ['scripts/build-web.ts'])) !== 0) process.exit(1);
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const session = await startWebSession();
try {
  const filled = await fillAccount(session);
  for (const view of [...views, ...filled].filter(({ name }) => name.includes(wanted))) {
    for (const size of sizes) {
      for (const theme of ['light', 'dark'] as const) {
        await using opened = await session.openPage({ isGuest: view.isGuest ?? false, theme, ...size });
        await openView(opened.page, session.origin, view);
        const file = path.join(folder, `${view.name}-${size.name}-${theme}.png`);
        await opened.page.screenshot({ path: file });
        process.stdout.write(`${path.relative(repositoryRoot, file)}\n`);
      }
    }
  }
} finally {
  await session.close();
}
