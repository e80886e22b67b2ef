/** How long a token or a key is good, as people write it. */

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const YEAR_S = 365 * 86_400;

/** Seconds of `30s`, `15m`, `1h` or `7d`; null when it is none of these or not within 1 s to `maxS`. */
export function parseTtl(text: string, maxS = YEAR_S): number | null {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  if (match === null) return null;
  const seconds = Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS];
  return seconds >= 1 && seconds <= maxS ? seconds : null;
}
