/**
 * The interface's texts, English and Chinese side by side, in the folder of the view that shows them: they are loaded
 * with it. The types demand every key in both languages and the same placeholders for each.
 */

export const languages = ['en', 'zh'] as const;
export type Language = (typeof languages)[number];

/** `{name}` is replaced. A text that depends on `{count}` has a form for one thing and a form for the rest. */
export type Message = string | { readonly one: string; readonly other: string };

type MessageSet = Readonly<Record<string, Message>>;
/** One view's texts in every language. */
export type Messages<Keys extends string> = Readonly<Record<Language, Readonly<Record<Keys, Message>>>>;
export type MessageValues = Readonly<Record<string, string | number>>;
/** Looks a text up and puts values into it. */
export type Translate<Keys extends string> = (key: Keys, values?: MessageValues) => string;

/** Checks at compile time that both languages have the same keys. */
export function defineMessages<const English extends MessageSet>(messages: {
  readonly en: English;
  readonly zh: { readonly [Key in keyof English]: Message };
}): Messages<keyof English & string> {
  // `keyof English` and the record's keys are the same set; TypeScript cannot see it through the mapped type.
  return messages as Messages<keyof English & string>;
}

/** The text of one key with its values put in. Numbers are grouped as the language does. */
export function formatMessage(message: Message, values: MessageValues, language: Language): string {
  const text = typeof message === 'string' ? message : message[pluralForm(values.count, language)];
  return text.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    const value = values[name];
    if (value === undefined) return placeholder;
    return typeof value === 'number' ? new Intl.NumberFormat(language).format(value) : value;
  });
}

function pluralForm(count: string | number | undefined, language: Language): 'one' | 'other' {
  return new Intl.PluralRules(language).select(Number(count ?? 0)) === 'one' ? 'one' : 'other';
}
