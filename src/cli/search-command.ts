import { realpath } from 'node:fs/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { createEgress } from '../egress/create-egress.ts';
import { EgressError } from '../egress/egress.ts';
import { createExtractor, fileExtractorDefaults } from '../extract/create-extractor.ts';
import type { Config } from '../settings.ts';
import { version } from '../version.ts';
import { createLocalBackend } from '../web-search/backends/local.ts';
import { crawlDefaults, crawlSite } from '../web-search/local/crawl-site.ts';
import { folderDefaults, indexFolder } from '../web-search/local/index-folder.ts';
import type { IndexCounts, IndexParts } from '../web-search/local/index-run.ts';
import { type LocalIndex, openLocalIndex } from '../web-search/local/local-index.ts';
import { addSettingFlags, readConfig } from './setting-flags.ts';
import { showIndexProgress } from './show-index-progress.ts';
import { CommandError, type Terminal } from './terminal.ts';

interface IndexOptions {
  readonly depth?: number;
  readonly pages?: number;
  readonly baseUrl?: string;
}

/** `perigee search index|status|query|remove`: the local search index, beside a running server or without one. */
export function addSearchCommand(program: Command, terminal: Terminal): void {
  const search = program.command('search').description('Fill and ask the local search index.');
  addSettingFlags(search.command('index <folder-or-url>'), ['everywhere'])
    .description('Index the documents of a folder or the pages of a site; again, only what has changed.')
    .option('--depth <number>', 'levels of folders, or links away from the first page', parseCount)
    .option('--pages <number>', 'files or pages at most', parseCount)
    .option(
      '--base-url <url>',
      'what the addresses of a folder’s documents begin with, in citations',
      parseUrl,
    )
    .action(async (source: string, options: IndexOptions, command: Command) => {
      const config = readConfig(command, terminal);
      const counts = await withIndex(config, (index) =>
        runIndex(source, options, { config, index, terminal }),
      );
      terminal.print(
        `${counts.added} indexed, ${counts.unchanged} unchanged, ${counts.removed} removed, ${counts.skipped} skipped`,
      );
    });
  addSettingFlags(search.command('status'), ['everywhere'])
    .description('Show what is indexed.')
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }, command: Command) => {
      const sources = await withIndex(readConfig(command, terminal), (index) => index.ask('listSources', {}));
      if (options.json === true) terminal.print(JSON.stringify(sources.map(encodeSource), null, 2));
      else if (sources.length === 0) terminal.note('Nothing is indexed; `perigee search index` does it.');
      for (const source of options.json === true ? [] : sources) {
        const { address, documentCount, indexed_at: indexedAt } = { ...source, ...encodeSource(source) };
        terminal.print(`${address}  ${documentCount} documents · indexed ${indexedAt ?? 'not to its end'}`);
      }
    });
  addSettingFlags(search.command('query <words...>'), ['everywhere'])
    .description('Search the local index as a model would.')
    .option('--count <number>', 'results at most', parseCount, 5)
    .option('--json', 'print JSON')
    .action(async (words: string[], options: { count: number; json?: true }, command: Command) => {
      const query = { text: words.join(' '), countMax: options.count, language: undefined };
      const results = await withIndex(readConfig(command, terminal), (index) =>
        createLocalBackend(index).search(query, new AbortController().signal),
      );
      if (options.json === true) terminal.print(JSON.stringify(results, null, 2));
      else if (results.length === 0) terminal.note('Nothing was found.');
      for (const { title, url, snippet } of options.json === true ? [] : results) {
        terminal.print(`${title}\n  ${url}\n  ${snippet.replaceAll(/\s+/g, ' ').slice(0, 200)}`);
      }
    });
  addSettingFlags(search.command('remove <folder-or-url>'), ['everywhere'])
    .description('Remove a folder or a site from the index.')
    .action(async (source: string, _options: unknown, command: Command) => {
      // A folder that is gone is removed by the name under which it was indexed.
      const address = await resolveSource(source).catch(() => source);
      const isRemoved = await withIndex(
        readConfig(command, terminal),
        async (index) =>
          (await index.ask('removeSource', { source: address })) ||
          (await index.ask('removeSource', { source })),
      );
      if (!isRemoved) throw new CommandError(`${source} is not indexed; see \`perigee search status\`.`);
      terminal.print(`${source} is removed`);
    });
}

async function withIndex<Result>(
  config: Config,
  work: (index: LocalIndex) => Promise<Result>,
): Promise<Result> {
  const index = openLocalIndex(config.dataDir);
  try {
    return await work(index);
  } finally {
    await index.close();
  }
}

interface RunParts {
  readonly config: Config;
  readonly index: LocalIndex;
  readonly terminal: Terminal;
}

async function runIndex(
  source: string,
  options: IndexOptions,
  { config, index, terminal }: RunParts,
): Promise<IndexCounts> {
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort(new CommandError('Stopped. Run it again to go on.')));
  const extractor = createExtractor(fileExtractorDefaults);
  const view = showIndexProgress(terminal, source);
  try {
    const address = await resolveSource(source);
    const parts: IndexParts = { index, extractor, signal: abort.signal, onProgress: view.onProgress };
    return isUrl(source)
      ? await indexSite(address, options, { ...parts, config })
      : await indexFolder(
          address,
          {
            depthMax: options.depth ?? folderDefaults.depthMax,
            filesMax: options.pages ?? folderDefaults.filesMax,
            ...(options.baseUrl !== undefined && { baseUrl: options.baseUrl }),
          },
          parts,
        );
  } finally {
    view.end();
    await extractor.close();
  }
}

async function indexSite(
  url: string,
  options: IndexOptions,
  { config, ...parts }: IndexParts & { readonly config: Config },
): Promise<IndexCounts> {
  if (options.baseUrl !== undefined)
    throw new CommandError('--base-url is for folders: pages have addresses.');
  const egress = createEgress({
    allowHosts: config.egressAllowHosts,
    ports: config.egressPorts,
    userAgent: `Perigee/${version}`,
  });
  try {
    const limits = {
      depthMax: options.depth ?? crawlDefaults.depthMax,
      pagesMax: options.pages ?? crawlDefaults.pagesMax,
    };
    return await crawlSite(url, limits, { ...parts, egress, robotsName: 'Perigee' });
  } catch (error) {
    if (error instanceof EgressError) throw new CommandError(error.message, { cause: error });
    throw error;
  } finally {
    await egress.close();
  }
}

const isUrl = (source: string): boolean => /^https?:\/\//i.test(source);

/** The name under which the source is in the index. Throws CommandError when there is no such folder. */
async function resolveSource(source: string): Promise<string> {
  if (isUrl(source)) return new URL(source).href;
  try {
    return await realpath(source);
  } catch (cause) {
    throw new CommandError(`${source} is neither a folder nor an http address.`, { cause });
  }
}

const encodeSource = (source: { address: string; documentCount: number; indexedAt: number | null }) => ({
  address: source.address,
  documents: source.documentCount,
  indexed_at: source.indexedAt === null ? null : new Date(source.indexedAt).toISOString(),
});

function parseCount(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function parseUrl(text: string): string {
  if (!isUrl(text) || !URL.canParse(text)) throw new InvalidArgumentError('It must be an http address.');
  return text;
}
