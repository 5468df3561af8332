import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { findProgram } from './find-program.ts';

const policyFile = '/usr/sbin/policy-rc.d';

/**
 * Installs a Debian package, when this is Debian and we are root; else throws with what is missing and what to
 * do. The package's own service is not started: tests run their own servers on free ports.
 */
export function installPackage(name: string, purpose: string): void {
  const aptGet = findProgram(['apt-get']);
  if (aptGet === undefined || process.getuid?.() !== 0) {
    throw new Error(
      `The tests need ${purpose}, and it was not found on this machine. Install it (Debian, Ubuntu: sudo apt-get install ${name}) and run the tests again.`,
    );
  }
  process.stderr.write(`test services: installing ${name} with apt-get (once)\n`);
  const options = {
    stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  const hadPolicy = existsSync(policyFile);
  if (!hadPolicy) {
    // Debian's switch for "install, but start nothing".
    writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  }
  try {
    execFileSync(aptGet, ['-qq', 'update'], options);
    execFileSync(aptGet, ['-qq', 'install', '-y', '--no-install-recommends', name], options);
  } finally {
    if (!hadPolicy) {
      rmSync(policyFile, { force: true });
    }
  }
}
