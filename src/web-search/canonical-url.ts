/** Parameters that say where a visitor came from, not what the page is. */
const trackingParameter = /^(?:utm_\w+|gclid|dclid|fbclid|msclkid|yclid|mc_[ce]id|igshid|ref_src|spm)$/i;

/**
 * What two addresses of one page have in common: the key by which results of several backends are merged. Not an
 * address to be fetched. An address that cannot be parsed is its own key.
 */
export function canonicalUrl(address: string): string {
  const url = URL.parse(address);
  if (url === null) return address;
  const host = url.host.replace(/^www\./, '');
  const path = url.pathname.replace(/\/(?:index\.html?)?$/, '');
  const parameters = [...url.searchParams]
    .filter(([name]) => !trackingParameter.test(name))
    .sort(([left], [right]) => (left < right ? -1 : Number(left > right)));
  const query = new URLSearchParams(parameters).toString();
  const isWeb = url.protocol === 'http:' || url.protocol === 'https:';
  return `${isWeb ? 'web:' : url.protocol}//${host}${path}${query === '' ? '' : `?${query}`}`;
}
