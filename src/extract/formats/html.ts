/** The readable part of a web page: defuddle finds it, readability where that finds little, all text otherwise. */
import { Readability } from '@mozilla/readability';
import { Defuddle } from 'defuddle/node';
import { parseHTML } from 'linkedom';
import type { ExtractLimits } from '../document.ts';
import type { FormatText } from '../extract-document.ts';
import { readPageDate } from './read-page-date.ts';
import { collapse, renderHtmlText } from './render-html-text.ts';

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
  const links = findLinks(html, url);
  const isTreeCheap =
    html.length <= treeCharsMax && whole.elementCount <= treeElementsMax && whole.depth <= treeDepthMax;
  const article = isTreeCheap ? await findArticle(html, url, whole.text) : undefined;
  const text = article === undefined ? whole.text : renderHtmlText(article.content, textCharsMax).text;
  const title = article?.title || whole.title;
  const language = article?.language || whole.language;
  const publishedAt = readPageDate(article?.published ?? '', html);
  return {
    title: collapse(title),
    // A page of nothing but a menu still says something.
    text: text || renderHtmlText(html, textCharsMax).text,
    ...(language !== '' && { language }),
    ...(publishedAt !== undefined && { publishedAt }),
    links,
  };
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
async function findArticle(
  html: string,
  url: string | undefined,
  wholeText: string,
): Promise<Article | undefined> {
  const enoughChars = Math.min(articleCharsMin, wholeText.length / 2);
  for (const find of [findByDefuddle, findByReadability]) {
    const article = await tryToFind(find, html, url);
    const chars = article === undefined ? 0 : collapse(renderHtmlText(article.content, Infinity).text).length;
    if (article !== undefined && chars >= enoughChars && chars > 0) return article;
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
  const found = await Defuddle(parseDocument(html), url ?? 'about:blank', {
    // Its site-specific readers would fetch from third parties, past the guarded door.
    useAsync: false,
    fetch: refuseToFetch,
  });
  const { title, content, language, published } = found;
  return { title, content, language, published };
};

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

/** By text, not by tree: a page that is too large for a tree still leads somewhere. */
function findLinks(html: string, url: string | undefined): readonly string[] {
  const base = /<base\s[^>]{0,500}href\s*=\s*["']?([^"'\s>]+)/i.exec(html)?.[1];
  const baseUrl = URL.parse(base ?? '', url) ?? URL.parse(url ?? '');
  const links = new Set<string>();
  for (const [, quoted, single, bare] of html.matchAll(
    /<a\s[^>]{0,2000}?\bhref\s*=\s*(?:"([^"]{1,2000})"|'([^']{1,2000})'|([^\s"'>]{1,2000}))/gi,
  )) {
    const link = URL.parse((quoted ?? single ?? bare ?? '').trim().replaceAll('&amp;', '&'), baseUrl?.href);
    if (link === null || !/^https?:$/.test(link.protocol)) continue;
    link.hash = '';
    links.add(link.href);
    if (links.size >= linksMax) break;
  }
  return [...links];
}
