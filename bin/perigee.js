#!/usr/bin/env node
// The command `perigee`. Starts the real program (dist/main.js of a package, src/main.ts of a clone) on a Node.js
// that is new enough, in this process where possible, else in a child that gets our signals and gives its exit code.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { findNode, nodeMissingText } from './find-node.js';

const built = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const source = fileURLToPath(new URL('../src/main.ts', import.meta.url));
// A clone has its sources, and they win over an old build. A package has `dist/` alone: Node.js strips no types
// below `node_modules`.
const program = existsSync(source) ? source : built;

const node = findNode();
if (node === undefined) {
  process.stderr.write(nodeMissingText);
  process.exitCode = 1;
} else if (node === process.execPath) {
  await import(pathToFileURL(program).href);
} else {
  runInChild(node);
}

function runInChild(nodePath) {
  const child = spawn(nodePath, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) {
    process.on(signal, () => {
      // Ctrl-C at a terminal reaches the whole process group, so the child already has it.
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`Perigee could not start ${nodePath}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code ?? 1;
      return;
    }
    // Die by the same signal, so that a shell or a supervisor sees the truth.
    for (const name of signals) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}
