/** `npm run build`: the web app, and JavaScript for the npm package: Node.js strips no types below `node_modules`. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { buildWebWhenStale } from './build-web.ts';
import { repositoryRoot, runTool } from './run-step.ts';

await buildWebWhenStale();
await rm(path.join(repositoryRoot, 'dist'), { recursive: true, force: true });
process.exitCode = await runTool('tsc', ['-p', 'tsconfig.build.json']);
