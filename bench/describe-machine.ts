import { spawnSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';

/** What a reader needs to judge the figures, one fact a line. */
export function describeMachine(peerVersions: readonly string[]): string[] {
  const cores = cpus();
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout?.trim();
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return [
    `Machine: ${cores.length} × ${cores[0]?.model.trim()}, ${gibibytes} GiB, ${process.platform} ${release()}`,
    `Node.js ${process.versions.node}, Perigee at ${commit || 'an unknown commit'}`,
    `Yardsticks: bench/gateway/relay.ts, ${peerVersions.join(', ')}, llama-server from node-llama-cpp’s source bundle`,
    `Load average before the run: ${(loadavg()[0] ?? 0).toFixed(2)} (other work disturbs the figures where it is above 0.5)`,
  ];
}
