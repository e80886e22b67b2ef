/** Reads back what another version of an agent or gateway may have stored. */
const decoder = new TextDecoder();

/** The value a stored message holds, or undefined when it is no JSON, which every schema refuses. */
export function storedJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(data));
  } catch {
    return undefined;
  }
}
