/** Of what a person typed: a limit, `null` for none of its own, or undefined for what is neither. */
export function parseLimit(text: string): number | 'unlimited' | null | undefined {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === '') return null;
  if (trimmed === 'unlimited') return 'unlimited';
  const value = Number(trimmed.replaceAll(/[,\s]/g, ''));
  return Number.isSafeInteger(value) && value >= 1 ? value : undefined;
}
