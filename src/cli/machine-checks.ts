/** What `perigee doctor` looks at outside Perigee's own parts: the machine, the disk, the port. */
import { access, constants, readFile, statfs } from 'node:fs/promises';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { request } from 'undici';
import { z } from 'zod';
import { errorCodeOf } from '../error-code.ts';
import type { Config } from '../settings.ts';
import { makeFolder } from '../store/make-folder.ts';
import { tryAddress } from '../try-address.ts';
import { localUrl } from './chat-command.ts';
import { formatBytes } from './terminal.ts';

export interface CheckResult {
  /** `warn` = it works, but not well; `fail` = it does not work. */
  readonly state: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do about it; only with `warn` and `fail`. */
  readonly mend?: string;
}

export interface Check {
  readonly name: string;
  run(config: Config): Promise<CheckResult>;
}

const freeDiskBytesMin = 1_000_000_000;
const freeMemoryBytesMin = 1_000_000_000;

const nodeCheck: Check = {
  name: 'Node.js',
  run: async () => ({
    state: 'ok',
    detail: `${process.versions.node} on ${process.platform}-${process.arch}`,
  }),
};

/** What ggml's builds for AVX-512 need at least (`skylakex`): some processors have its foundation alone. */
const avx512Flags = ['avx512f', 'avx512cd', 'avx512bw', 'avx512dq', 'avx512vl'];

/** The best instructions that llama.cpp will use, of a processor with these flags of /proc/cpuinfo. */
export function findVectors(flags: ReadonlySet<string>): 'AVX-512' | 'AVX2' | undefined {
  if (!flags.has('avx2')) return undefined;
  return avx512Flags.every((flag) => flags.has(flag)) ? 'AVX-512' : 'AVX2';
}

const processorCheck: Check = {
  name: 'CPU',
  run: async () => {
    const cores = `${availableParallelism()} cores`;
    if (process.platform !== 'linux' || process.arch !== 'x64') return { state: 'ok', detail: cores };
    const flags = new Set(
      /^flags\s*:(.*)$/m.exec(await readFile('/proc/cpuinfo', 'utf8'))?.[1]?.split(/\s+/),
    );
    const vectors = findVectors(flags);
    if (vectors !== undefined) {
      return { state: 'ok', detail: `${cores}, the embedded engine computes with ${vectors}` };
    }
    return {
      state: 'warn',
      detail: `${cores}, none of AVX2 and AVX-512`,
      mend: 'The embedded engine works, but much slower. Use a newer CPU or an upstream server (docs/engines.md).',
    };
  },
};

const memoryCheck: Check = {
  name: 'Memory',
  run: async () => {
    const detail = `${formatBytes(freemem())} free of ${formatBytes(totalmem())}`;
    if (freemem() >= freeMemoryBytesMin) return { state: 'ok', detail };
    return {
      state: 'warn',
      detail,
      mend: 'Stop other programs, or lower --kv-cells, or use --kv-type q8_0.',
    };
  },
};

const dataFolderCheck: Check = {
  name: 'Data folder',
  run: async ({ dataDir }) => {
    try {
      makeFolder(dataDir);
      await access(dataDir, constants.W_OK);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return {
        state: 'fail',
        detail: reason,
        mend: `Make ${dataDir} writable, or choose another: --data-dir.`,
      };
    }
    const { bavail, bsize } = await statfs(dataDir);
    const detail = `${dataDir}, ${formatBytes(bavail * bsize)} free`;
    if (bavail * bsize >= freeDiskBytesMin) return { state: 'ok', detail };
    return {
      state: 'warn',
      detail,
      mend: 'Free some space: the database and model files need about a gigabyte.',
    };
  },
};

const portCheck: Check = {
  name: 'Port',
  run: async (config) => {
    const place = `${config.host}:${config.port}`;
    const code = await tryAddress({ host: config.host, port: config.port }).then(
      () => undefined,
      (error: unknown) => errorCodeOf(error) ?? String(error),
    );
    if (code === undefined) return { state: 'ok', detail: `${place} is free` };
    if (code !== 'EADDRINUSE') {
      return { state: 'fail', detail: `${place}: ${code}`, mend: 'Choose another --host or --port.' };
    }
    const url = localUrl(config);
    const readiness = await askReadiness(url);
    if (readiness === 'ready') return { state: 'ok', detail: `Perigee runs on ${place}` };
    if (readiness === 'not_ready') {
      return {
        state: 'warn',
        detail: `Perigee runs on ${place}, but cannot answer every model now`,
        mend: `${url}/ready says why.`,
      };
    }
    return {
      state: 'fail',
      detail: `another program listens on ${place}`,
      mend: `Stop it (\`ss -ltnp | grep :${config.port}\` names it), or choose another --port.`,
    };
  },
};

/** The machine's checks, in the order of their lines. */
export const machineChecks: readonly Check[] = [
  nodeCheck,
  processorCheck,
  memoryCheck,
  dataFolderCheck,
  portCheck,
];

const readinessSchema = z.object({ status: z.enum(['ready', 'not_ready']) });

/** What a server says of itself; undefined when what listens there is none of ours. */
async function askReadiness(url: string): Promise<'ready' | 'not_ready' | undefined> {
  try {
    const response = await request(`${url}/ready`, { headersTimeout: 2_000, bodyTimeout: 2_000 });
    return readinessSchema.parse(await response.body.json()).status;
  } catch {
    return undefined; // Whatever it is, it does not speak our protocol.
  }
}
