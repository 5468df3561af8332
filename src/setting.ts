/** What a setting is, and the shapes that several of them share. The table of settings is `settings.ts`. */
import { homedir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';

/** Which commands take a setting as a flag. `rare` = as `serve`, below the others in `--help`. */
export type FlagScope = 'everywhere' | 'address' | 'model' | 'download' | 'serve' | 'rare' | 'chat';

interface SettingOptions<Schema extends z.ZodType> {
  /** Checks a value from the file, or the text of a flag or variable; its default is the setting's default. */
  readonly schema: Schema;
  /** One sentence for `--help` and docs/configuration.md. */
  readonly description: string;
  /** Shown in the documentation where the default is computed. */
  readonly defaultText?: string;
  /** With the placeholder of its value. Absent for secrets: everybody on a machine can read its command lines. */
  readonly flag?: { readonly scope: FlagScope; readonly value: string };
  /** Further environment names that are understood. */
  readonly environmentAliases?: readonly string[];
  /** Never printed by `doctor`, logs or errors. */
  readonly isSecret?: true;
}

export type Setting = SettingOptions<z.ZodType>;

export const setting = <Schema extends z.ZodType>(options: SettingOptions<Schema>): SettingOptions<Schema> =>
  options;

/** A whole number, also written as text. */
export const integer = (min: number, max: number) =>
  z.preprocess(
    (value) => (typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value),
    z.int(`must be a whole number from ${min} to ${max}`).min(min).max(max),
  );

const booleanWords = new Map<unknown, boolean>([
  ...(['true', '1', 'yes'] as const).map((word) => [word, true] as const),
  ...(['false', '0', 'no'] as const).map((word) => [word, false] as const),
]);

/** `true`/`false`, also written as text (with `1`/`0`, `yes`/`no`). */
export const flagText = z.preprocess(
  (value) => booleanWords.get(value) ?? value,
  z.boolean('must be true or false'),
);

/** A folder or file; `~` is the home folder, the rest is relative to the working folder. */
export const filePath = z
  .string()
  .min(1)
  .transform((text) => path.resolve(text.replace(/^~(?=$|[\\/])/, homedir())));

/** A secret that callers send: long enough that guessing is hopeless, and what `keys/key-secret.ts` takes. */
export const longKey = z
  .string()
  .min(32, 'must have at least 32 characters')
  .max(200, 'may have at most 200 characters')
  .regex(/^[A-Za-z0-9._~-]+$/, 'may hold only A-Z, a-z, 0-9, dot, underscore, tilde and hyphen');

/** US dollars as decimal text, so that no digit is lost. */
export const usd = z
  .union([z.number(), z.string()])
  .transform(String)
  .pipe(
    z
      .string()
      .regex(/^\d{1,9}(\.\d{1,9})?$/, 'must be an amount in US dollars with at most nine decimals, e.g. 100'),
  );

/** A value that is structured in the file, and JSON text in the environment. */
export const structured = <Schema extends z.ZodType>(schema: Schema) =>
  z
    .preprocess((value, context) => {
      if (typeof value !== 'string') return value;
      try {
        return JSON.parse(value);
      } catch {
        context.addIssue({ code: 'custom', message: 'must be JSON when it is given as text' });
        return z.NEVER;
      }
    }, schema)
    .optional();

/** Values separated by commas, or a list in the file; nothing at all is an empty list. */
export const textList = z.union([
  z.array(z.union([z.string(), z.number()]).transform(String)),
  z.string().transform((text) =>
    text
      .split(',')
      .map((each) => each.trim())
      .filter((each) => each !== ''),
  ),
]);
