import type { UsagePoint } from '../../api/activity.ts';

const columns = [
  'step',
  'model',
  'key_prefix',
  'input_tokens',
  'cached_tokens',
  'output_tokens',
  'requests_succeeded',
  'requests_failed',
  'spend_usd',
] as const;

/** One line per step, model and key, as RFC 4180 says; money with all nine decimals. */
export function encodeUsageCsv(points: readonly UsagePoint[]): string {
  const lines = points.map(({ step, model, key_prefix, tokens, requests, spend }) =>
    [
      step,
      model,
      key_prefix,
      tokens.input,
      tokens.cached,
      tokens.output,
      requests.succeeded,
      requests.failed,
      spend.toFixed(9),
    ].map(encodeCell),
  );
  return [columns, ...lines].map((cells) => `${cells.join(',')}\r\n`).join('');
}

/** A cell that a spreadsheet would run as a formula is made text (OWASP, CSV injection). */
function encodeCell(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
