import type { ContextCaches } from '../../caching/context-caches.ts';
import type { FileService } from '../../files/file-service.ts';
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
  conversations: {
    list: refuse,
    create: refuse,
    read: refuse,
    change: refuse,
    remove: refuse,
    share: refuse,
    readShared: refuse,
  },
  managementKeys: { list: refuse, create: refuse, change: refuse, remove: refuse },
  administration: {
    list: refuse,
    read: refuse,
    findByEmail: refuse,
    create: refuse,
    change: refuse,
    approve: refuse,
    refuse,
  },
  bookings: { grant: refuse, refund: refuse, list: refuse },
  priceList: { list: refuse, set: refuse },
};

export const noCaches: ContextCaches = {
  tags: { set: refuse, find: refuse, list: refuse, remove: refuse },
  create: refuse,
  find: refuse,
  list: refuse,
  change: refuse,
  remove: refuse,
  use: refuse,
  savings: refuse,
};

/** For tests that upload nothing. */
export const noFiles: FileService = {
  bytesMax: 0,
  assertRoom: refuse,
  receive: refuse,
  store: refuse,
  list: refuse,
  find: refuse,
  remove: refuse,
  readContent: refuse,
  close: async () => undefined,
};
