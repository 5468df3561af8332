/** Words of any language, by the Unicode rules that the platform has dictionaries for (Chinese, Japanese, Thai). */
const segmenter = new Intl.Segmenter(undefined, { granularity: 'word' });

/** Words in the form in which they are compared: compatibility forms unified, lower case, English plurals cut. */
export function listWords(text: string): string[] {
  const words: string[] = [];
  for (const { segment, isWordLike } of segmenter.segment(text.normalize('NFKC').toLowerCase())) {
    if (isWordLike === true) words.push(stem(segment));
  }
  return words;
}

/** Only what never joins two different words: `caches` stays apart from `caching`, `prices` meets `price`. */
function stem(word: string): string {
  if (word.length < 4 || !/^[a-z]+s$/.test(word) || /(?:ss|us|is)$/.test(word))
    return word.replace(/['’]s$/, '');
  return word.endsWith('ies') ? `${word.slice(0, -3)}y` : word.slice(0, -1);
}

/** Words that say nothing about the topic, in the languages in which requests are mostly written. */
const emptyWords = new Set(
  listWords(`a about above after again all also am an and any are as at be because been before being but by can
    could did do does doing don for from further get give had has have having he hello her here hi his how i if in into
    is it its just kindly know let like me more most my need no not now of off on once only or other our out over own
    please same search searching she should so some such tell than thank thanks that the their them then there these
    they this those through to too under until up us use very want was we were what when where which while who whom
    why will with would you your explain describe find look show web internet online
    der die das ein eine und oder ist sind wer wie wo wann warum von mit für bitte mir
    le la les un une des du et ou est sont qui que quoi comment où quand pourquoi de avec pour
    el los las una unos y o es son quién qué cómo dónde cuándo por con para
    的 了 是 在 我 你 他 请 吗 呢 什么 怎么 如何 和 与 有 一个 这 那 搜索 告诉`),
);

/** The words that a text is about, each once, in order. */
export function listContentWords(text: string): string[] {
  return [...new Set(listWords(text))].filter((word) => !emptyWords.has(word));
}
