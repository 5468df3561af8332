import { createLatencyWindow } from '../../usage/latency-window.ts';
import type { PlatformServices } from '../http-dependencies.ts';

const refuse = async (): Promise<never> => {
  throw new Error('this test application has no store; open one with openPlatformApp');
};

/** For tests that need no store: whoever asks for one hears of it. */
export const noPlatform: PlatformServices = {
  keys: { list: refuse, prefixes: refuse, create: refuse, change: refuse, remove: refuse, describe: refuse },
  limits: { read: refuse, change: refuse, resolve: refuse },
  accounts: { find: refuse },
  billing: { balance: refuse, listTransfers: refuse },
  usage: { resolveKey: refuse, report: refuse, listRequests: refuse },
  activity: { series: refuse, list: refuse, story: refuse },
  prices: { find: refuse },
  latencies: createLatencyWindow(() => 0),
};
