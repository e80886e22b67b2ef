/** Reads frames that are JSON objects, as most wires have them. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The object in these bytes; null for what is no UTF-8, no JSON, or another value. */
export function parseObject(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    return objectOf(JSON.parse(utf8.decode(bytes)));
  } catch {
    return null;
  }
}

/** The value if it is an object, no array. */
export function objectOf(value: unknown): Record<string, unknown> | null {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : null;
}
