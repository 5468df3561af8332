/** Settings of how a server behaves in operation. A part of the table in `settings.ts`. */
import { z } from 'zod';
import { longKey, setting } from './setting.ts';

export const operationSettings = {
  onClientLeft: setting({
    schema: z.enum(['stop', 'finish']).default('stop'),
    description:
      'What happens when a client leaves before its answer is complete: `stop` ends the work within 50 ms and charges what was generated; `finish` runs the answer to its end and charges it whole.',
    flag: { scope: 'serve', value: 'stop|finish' },
  }),
  metricsToken: setting({
    schema: longKey.optional(),
    description:
      'Bearer token that opens `GET /metrics` from other machines; without it only this machine may read it.',
    defaultText: 'none',
    isSecret: true,
  }),
} as const;
