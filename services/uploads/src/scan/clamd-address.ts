/** Where clamd listens. */

export type ClamdAddress = { host: string; port: number } | { path: string };

/** Reads `host:port`, `[::1]:3310` or the absolute path of a socket; null for anything else. */
export function clamdAddress(text: string): ClamdAddress | null {
  if (text.startsWith('/')) return { path: text };
  const match = /^(?:\[([^\]\s]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port < 1 || port > 65_535 ? null : { host, port };
}
