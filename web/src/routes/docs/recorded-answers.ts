import type { ExampleName } from './example-requests.ts';

/** What the default model answered to each example, as `scripts/record-answers.ts` got it. */
export interface RecordedAnswers {
  /** The weights that answered. */
  readonly weights: string;
  /** Day of the recording, `2026-01-31`. */
  readonly date: string;
  /** Response bodies as they came: JSON, or the events of a stream. */
  readonly answers: Readonly<Record<ExampleName, string>>;
}
