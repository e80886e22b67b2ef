/**
 * The headers of a message from a stream, as text.
 *
 * The library makes a map of them, and looks for each name among all that it has: 7 µs for a message
 * that was read from a stream, 20 in a process that has just begun; here 2 and 4.
 */
import type { Msg } from '@nats-io/transport-node';

/** Where the library keeps what came, headers first, and the length of these. */
interface Raw {
  _rdata?: unknown;
  _msg?: { hdr?: unknown };
}

/** With the line of the status at its beginning; empty where there are no headers. */
export function headOf(message: Msg): string {
  const { _rdata: bytes, _msg: parts } = message as unknown as Raw;
  const length = parts?.hdr;
  // Another version of the library may keep it elsewhere.
  if (!(bytes instanceof Uint8Array) || typeof length !== 'number') return message.headers?.toString() ?? '';
  return length <= 0 ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, length).toString();
}

/** The last value of a header, or undefined: the broker adds its own behind those of the publisher. */
export function lastHeader(head: string, name: string): string | undefined {
  const at = head.lastIndexOf(`\r\n${name}:`);
  if (at === -1) return undefined;
  const from = at + name.length + 3;
  const end = head.indexOf('\r\n', from);
  return head.slice(from, end === -1 ? undefined : end).trim() || undefined;
}
