/** Decimal text of US dollars, as precise as money is here: at most nine decimals. */
export function isAmount(text: string, { isSigned = false } = {}): boolean {
  return (isSigned ? /^-?\d{1,9}(\.\d{1,9})?$/ : /^\d{1,9}(\.\d{1,9})?$/).test(text);
}
