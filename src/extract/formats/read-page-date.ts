/** Where pages say when they were published, in the order in which that is to be believed. */
const datePatterns: readonly RegExp[] = [
  /<meta\s[^>]{0,300}(?:property|name|itemprop)\s*=\s*["'](?:article:published_time|og:published_time|datePublished|pubdate|publish[-_]?date|date|dc\.date(?:\.issued)?|dcterms\.(?:date|created|issued)|sailthru\.date|parsely-pub-date)["'][^>]{0,300}content\s*=\s*["']([^"']{8,40})["']/i,
  /<meta\s[^>]{0,300}content\s*=\s*["']([^"']{8,40})["'][^>]{0,300}(?:property|name|itemprop)\s*=\s*["'](?:article:published_time|og:published_time|datePublished|pubdate|publish[-_]?date|date|dc\.date(?:\.issued)?)["']/i,
  /"datePublished"\s*:\s*"([^"]{8,40})"/,
  /<time\s[^>]{0,300}datetime\s*=\s*["']([^"']{8,40})["']/i,
];

/** Dates are looked for in the head and a little below. */
const searchedChars = 200_000;

/** ISO 8601 date or instant; undefined when the page names none that can be understood. */
export function readPageDate(found: string, html: string): string | undefined {
  const head = html.slice(0, searchedChars);
  const texts = [found, ...datePatterns.map((pattern) => pattern.exec(head)?.[1] ?? '')];
  return texts.map(normalizeDate).find((date) => date !== undefined);
}

/** `2024-03-05T10:00:00+08:00` stays; `2024年3月5日`, `2024/3/5` and `Mar 5, 2024` become `2024-03-05`. */
export function normalizeDate(text: string): string | undefined {
  const trimmed = text.trim();
  const [, year, month, day] = /^(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})/.exec(trimmed) ?? [];
  if (year !== undefined && month !== undefined && day !== undefined) {
    const date = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
    if (Number.isNaN(Date.parse(date))) return undefined;
    const hasOffset = /T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/.test(trimmed);
    return hasOffset && !Number.isNaN(Date.parse(trimmed)) ? new Date(trimmed).toISOString() : date;
  }
  // Words for months: the day is meant where the page was written, so the zone must not move it.
  const words =
    /[a-z]{3}/i.test(trimmed) && /\b(19|20)\d\d\b/.test(trimmed) ? Date.parse(`${trimmed} UTC`) : NaN;
  return Number.isNaN(words) ? undefined : new Date(words).toISOString().slice(0, 10);
}
