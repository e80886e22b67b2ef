/** Conditional requests by entity tag. Source: RFC 9110, sections 8.8.3 and 13.1. */

/** Whether If-None-Match says that the client has this very content; weak comparison. */
export function matchesNone(header: string, tag: string): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
}

/** Whether a Range holds: there is no If-Range, or it names this content; strong comparison. */
export function rangeHolds(ifRange: string, tag: string): boolean {
  return ifRange === '' || ifRange.trim() === tag;
}
