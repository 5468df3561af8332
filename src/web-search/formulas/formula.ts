/**
 * Moonshot's official tools (protocol sheet 2.2): functions that a caller declares like its own and runs here. Each is
 * a file; `build-web-search.ts` lists them.
 */
import { z } from 'zod';
import { ApiError } from '../../errors.ts';
import { parseJson } from '../../parse-json.ts';

export interface FormulaContext {
  readonly accountId: number;
  readonly inferenceId: string;
  readonly signal: AbortSignal;
}

export type FormulaOutcome =
  | {
      readonly status: 'succeeded';
      /** What the caller gives to the model: readable, or sealed (only this server puts its content into a prompt). */
      readonly output: { readonly isSealed: boolean; readonly text: string };
      readonly references?: readonly { readonly title: string; readonly url: string }[];
      /** The fee of a search is due. */
      readonly isCharged: boolean;
    }
  /** `error` is for the model and the caller. */
  | { readonly status: 'failed'; readonly error: string };

export interface Formula {
  /** `moonshot/date`, without its tag. */
  readonly name: string;
  readonly functionName: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: unknown;
  /** What a key needs to run it; undefined = any key may. */
  readonly scope: 'web_search' | undefined;
  /** At most one search's fee. */
  readonly mayCharge: boolean;
  /** `argumentsText` as the model wrote it: what is wrong with it is an outcome. Throws the signal's reason. */
  run(argumentsText: string, context: FormulaContext): Promise<FormulaOutcome>;
}

interface FormulaParts<Schema extends z.ZodType> extends Omit<Formula, 'parameters' | 'run'> {
  readonly schema: Schema;
  readonly act: (
    parsed: z.output<Schema>,
    context: FormulaContext,
  ) => FormulaOutcome | Promise<FormulaOutcome>;
}

/** Checks arguments by the schema that the tool declares. */
export function createFormula<Schema extends z.ZodType>({
  schema,
  act,
  ...facts
}: FormulaParts<Schema>): Formula {
  const { $schema: _, ...parameters } = z.toJSONSchema(schema, { io: 'input' });
  return {
    ...facts,
    parameters,
    run: async (argumentsText, context) => {
      // No schema takes the undefined of a text that is no JSON.
      const parsed = schema.safeParse(parseJson(argumentsText));
      if (parsed.success) return await act(parsed.data, context);
      return fail(`The arguments of \`${facts.functionName}\` are wrong: ${z.prettifyError(parsed.error)}`);
    },
  };
}

export const fail = (error: string): FormulaOutcome => ({ status: 'failed', error });

/** Throws ApiError `formula_not_found`. Only the tag `latest` exists, and it may be left out. */
export function findFormula(formulas: readonly Formula[], uri: string): Formula {
  const formula = formulas.find(({ name }) => uri === name || uri === `${name}:latest`);
  if (formula !== undefined) return formula;
  const known = formulas.map(({ name }) => `\`${name}:latest\``).join(', ');
  throw new ApiError('formula_not_found', {
    message: `There is no formula \`${uri.slice(0, 100)}\` here; there are ${known}.`,
  });
}
