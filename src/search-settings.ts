/** Settings of web search; part of the table in `settings.ts`. */
import { z } from 'zod';
import { flagText, integer, setting, textList } from './setting.ts';

export const searchBackendIds = ['searxng', 'brave', 'tavily', 'exa', 'local'] as const;

export const searchSettings = {
  webSearchBackends: setting({
    schema: textList.pipe(z.array(z.enum(searchBackendIds)).min(1)).optional(),
    description:
      'Search services in the order in which they are asked, separated by commas: `searxng`, `brave`, `tavily`, `exa`, `local` (docs/web-search.md).',
    defaultText: 'all that have an address or a key, in this order, and `local`',
    flag: { scope: 'rare', value: 'names' },
  }),
  searxngUrl: setting({
    schema: z.url({ protocol: /^https?$/ }).optional(),
    description: 'Address of a SearXNG instance whose `search.formats` hold `json`.',
    defaultText: 'none',
    flag: { scope: 'rare', value: 'url' },
  }),
  braveApiKey: setting({
    schema: z.string().min(1).optional(),
    description: 'Key of the Brave Search API.',
    defaultText: 'none',
    isSecret: true,
  }),
  tavilyApiKey: setting({
    schema: z.string().min(1).optional(),
    description: 'Key of the Tavily API.',
    defaultText: 'none',
    isSecret: true,
  }),
  exaApiKey: setting({
    schema: z.string().min(1).optional(),
    description: 'Key of the Exa API.',
    defaultText: 'none',
    isSecret: true,
  }),
  webSearchPolicy: setting({
    schema: z.enum(['auto', 'always']).optional(),
    description:
      'Who decides whether a question is searched for where `$web_search` is declared: `auto` = the model, `always` = every question is.',
    defaultText: '`auto`; `always` for weights under 1.5 GB when `$web_search` is the only tool',
    flag: { scope: 'rare', value: 'auto|always' },
  }),
  webSearchesMax: setting({
    schema: integer(1, 20).prefault(5),
    description: 'Searches for one user message; then the model has to answer.',
    flag: { scope: 'rare', value: 'number' },
  }),
  webSearchTokensMax: setting({
    schema: integer(200, 100_000).prefault(8_000),
    description: 'Tokens of the sources of one search, where the window of the model has room for them.',
    flag: { scope: 'rare', value: 'tokens' },
  }),
  webSearchResultsMax: setting({
    schema: integer(1, 20).prefault(8),
    description: 'Search results that are looked at.',
    flag: { scope: 'rare', value: 'number' },
  }),
  webSearchPagesMax: setting({
    schema: integer(0, 20).prefault(5),
    description: 'Pages that are read for one search; of the other results the snippet has to do.',
    flag: { scope: 'rare', value: 'number' },
  }),
  webSearchSeconds: setting({
    schema: integer(1, 60).prefault(8),
    description: 'How long the search services may take together.',
    flag: { scope: 'rare', value: 'seconds' },
  }),
  webSearchPageSeconds: setting({
    schema: integer(1, 60).prefault(8),
    description: 'How long reading the pages of one search may take.',
    flag: { scope: 'rare', value: 'seconds' },
  }),
  webSearchTtlSeconds: setting({
    schema: integer(60, 2_592_000).prefault(86_400),
    description: 'How long a search id can be sent back.',
    flag: { scope: 'rare', value: 'seconds' },
  }),
  webSearchAllowTools: setting({
    schema: flagText.prefault(true),
    description: 'Whether the caller’s own tools may be called in the turn that reads what a search found.',
    flag: { scope: 'rare', value: 'true|false' },
  }),
} as const;
