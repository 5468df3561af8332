/** `npm run build`: JavaScript for the npm package, because Node.js strips no types below `node_modules`. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { repositoryRoot, runTool } from './run-step.ts';

await rm(path.join(repositoryRoot, 'dist'), { recursive: true, force: true });
process.exitCode = await runTool('tsc', ['-p', 'tsconfig.build.json']);
