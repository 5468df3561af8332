/** The address that programs use: this very server, as it calls itself. Ends in `/v1`. */
export function baseUrlOf(publicUrl: string | undefined): string {
  return `${publicUrl === undefined || publicUrl === '' ? window.location.origin : publicUrl}/v1`;
}
