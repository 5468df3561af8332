import { foundation } from './0001-foundation.ts';
import { metering } from './0002-metering.ts';
import { deletedKeys } from './0003-deleted-keys.ts';
import { people } from './0004-people.ts';
import { fees } from './0005-fees.ts';
import { idempotency } from './0006-idempotency.ts';
import { limits } from './0007-limits.ts';
import { webSearch } from './0008-web-search.ts';
import { files } from './0009-files.ts';
import { caching } from './0011-caching.ts';
import { conversationSearch } from './0012-conversation-search.ts';
import type { Migration } from './migration.ts';

/** In the order in which they run. Append only. */
export const allMigrations: readonly Migration[] = [
  foundation,
  metering,
  deletedKeys,
  people,
  fees,
  idempotency,
  limits,
  webSearch,
  files,
  caching,
  conversationSearch,
];
