/** What peers that have no format of their own send for a token. */

/** As small as it can be: what it saves against Natter's frame speaks for the peer. */
export function envelope(text: string): string {
  return JSON.stringify({ type: 'token', token: text });
}
