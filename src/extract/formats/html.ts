/** The readable part of a web page: defuddle finds it, readability where that finds little, all text otherwise. */
import { Readability } from '@mozilla/readability';
import { Defuddle } from 'defuddle/node';
import { parseHTML } from 'linkedom';
import type { ExtractLimits } from '../document.ts';
import type { FormatText } from '../extract-document.ts';
import { readPageDate } from './read-page-date.ts';
import { collapse, type RenderedHtml, renderHtmlText } from './render-html-text.ts';

/** A tree of a larger page costs seconds and hundreds of megabytes; its text is taken as a stream instead. */
const treeCharsMax = 3_000_000;
const treeElementsMax = 50_000;
/** Both libraries look at whole branches again and again; real pages nest some thirty levels. */
const treeDepthMax = 300;
/** Less than this is more often a cookie banner than an article. */
const articleCharsMin = 250;
const linksMax = 2_000;

const surroundings = new Set(['nav', 'header', 'footer', 'aside', 'form', 'dialog']);

/** Throws ExtractError `too_large`. */
export async function extractHtml(
  html: string,
  url: string | undefined,
  { textCharsMax }: ExtractLimits,
): Promise<FormatText> {
  const whole = renderHtmlText(html, textCharsMax, { skip: surroundings });
  const isTreeCheap =
    html.length <= treeCharsMax && whole.elementCount <= treeElementsMax && whole.depth <= treeDepthMax;
  const article = isTreeCheap ? await readArticle(html, url, { whole: whole.text, textCharsMax }) : undefined;
  const title = article?.title || whole.title;
  const language = article?.language || whole.language;
  const publishedAt = readPageDate(article?.published ?? '', html);
  return {
    title: collapse(title),
    // A page of nothing but a menu still says something.
    text: withoutTitle(article?.text ?? whole.text, title) || renderHtmlText(html, textCharsMax).text,
    ...(language !== '' && { language }),
    ...(publishedAt !== undefined && { publishedAt }),
    links: resolveLinks(whole, url),
  };
}

/** The page's title as its first heading is said twice. */
function withoutTitle(text: string, title: string): string {
  const heading = `# ${collapse(title)}\n`;
  return text.startsWith(heading) ? text.slice(heading.length).trimStart() : text;
}

interface Article {
  readonly title: string;
  /** HTML. */
  readonly content: string;
  readonly language: string;
  /** As the page writes it; empty where it does not. */
  readonly published: string;
}

/** Undefined when neither library finds more than a small part of the page. */
async function readArticle(
  html: string,
  url: string | undefined,
  { whole, textCharsMax }: { readonly whole: string; readonly textCharsMax: number },
): Promise<(Article & { readonly text: string }) | undefined> {
  const enoughChars = Math.min(articleCharsMin, whole.length / 2);
  for (const find of [findByDefuddle, findByReadability]) {
    const article = await tryToFind(find, html, url);
    if (article === undefined) continue;
    const { text } = renderHtmlText(article.content, textCharsMax);
    const chars = collapse(text).length;
    if (chars >= enoughChars && chars > 0) return { ...article, text };
  }
  return undefined;
}

type FindArticle = (html: string, url: string | undefined) => Promise<Article | undefined>;

/** These libraries are written for pages of good will: what they stumble over is read as plain text. */
async function tryToFind(
  find: FindArticle,
  html: string,
  url: string | undefined,
): Promise<Article | undefined> {
  try {
    return await find(html, url);
  } catch {
    // Nesting that overflows the stack, or markup that linkedom cannot query: the next way reads it.
    return undefined;
  }
}

const findByDefuddle: FindArticle = async (html, url) => {
  const document = parseDocument(html);
  hideNeighboursOfTitle(document);
  const found = await Defuddle(document, url ?? 'about:blank', {
    // Its site-specific readers would fetch from third parties, past the guarded door.
    useAsync: false,
    fetch: refuseToFetch,
    // Headings, footnotes and code in one form for all sites: a third of the time, and lost in plain text.
    standardize: false,
  });
  const { title, content, language, published } = found;
  return { title, content, language, published };
};

/**
 * On a page with a date, defuddle takes a paragraph next to the title that names a day for the date's line, and removes the
 * first sentence of the news (“… was reopened on 12 June …”). A title in a box of its own has no neighbours.
 */
function hideNeighboursOfTitle(document: ReturnType<typeof parseDocument>): void {
  for (const title of document.querySelectorAll('h1')) {
    const box = document.createElement('div');
    title.replaceWith(box);
    box.append(title);
  }
}

const refuseToFetch = (): Promise<never> =>
  Promise.reject(new Error('nothing is fetched while a page is read'));

const findByReadability: FindArticle = async (html) => {
  const article = new Readability(parseDocument(html)).parse();
  if (article?.content == null) return undefined;
  const { title, content, lang, publishedTime } = article;
  return { title: title ?? '', content, language: lang ?? '', published: publishedTime ?? '' };
};

/** linkedom's documents lack two things that defuddle asks for. */
function parseDocument(html: string) {
  const { document } = parseHTML(html);
  const view = document.defaultView;
  if (!('styleSheets' in document)) Object.assign(document, { styleSheets: [] });
  if (view !== null && !('getComputedStyle' in view)) {
    Object.assign(view, { getComputedStyle: () => ({ display: '' }) });
  }
  return document;
}

/** Absolute http addresses, each once. */
function resolveLinks({ base, links }: RenderedHtml, url: string | undefined): readonly string[] {
  const baseUrl = URL.parse(base, url) ?? URL.parse(url ?? '');
  const resolved = new Set<string>();
  for (const link of links) {
    const target = URL.parse(link.trim(), baseUrl?.href);
    if (target === null || !/^https?:$/.test(target.protocol)) continue;
    target.hash = '';
    resolved.add(target.href);
    if (resolved.size >= linksMax) break;
  }
  return [...resolved];
}
