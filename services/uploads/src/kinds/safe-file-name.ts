/** Makes a name that a client sent safe to store, to log, and to save on any system. */

/** Longest name, in bytes of UTF-8: what common file systems take. */
const MAX_BYTES = 255;
/** Longest name that is looked at, in UTF-16 units: beyond it nobody names a file. */
const MAX_RAW = 4_096;
/** Longest ending that is kept where a name is cut, in bytes with its dot. */
const MAX_ENDING_BYTES = 16;

/**
 * Control characters, lone surrogates, line and paragraph separators, and the invisible ones (Cf), among
 * them all that turn the direction of writing. Joiners stay: Persian and emoji need them.
 */
const UNSEEN = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?![\u200c\u200d])\p{Cf}/gu;
/** What Windows takes in no name; a colon would also begin an alternate data stream. */
const RESERVED_CHARACTERS = /[<>:"|?*]/g;
/** Devices of Windows, whatever their ending (Microsoft, Naming Files, Paths, and Namespaces). */
const RESERVED_NAME = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\.|$)/iu;

/**
 * The last part of a path, NFC, without what is invisible, at most 255 bytes.
 *
 * Null where nothing is left, or where it is longer than 4,096. What it returns stays as it is when
 * made safe again.
 */
export function safeFileName(raw: string): string | null {
  if (raw.length > MAX_RAW) return null;
  const visible = raw.replace(UNSEEN, '').normalize('NFC');
  const last = visible.slice(Math.max(visible.lastIndexOf('/'), visible.lastIndexOf('\\')) + 1);
  const trimmed = last
    .replace(/^[A-Za-z]:/, '')
    .replace(RESERVED_CHARACTERS, '_')
    .replace(/^[.\s]+/, '')
    .replace(/[.\s]+$/, '');
  const free = RESERVED_NAME.test(trimmed) ? `_${trimmed}` : trimmed;
  const short = cutToBytes(free);
  return short === '' ? null : short;
}

/** At most 255 bytes; the ending stays, and no character is cut in two. */
function cutToBytes(name: string): string {
  if (Buffer.byteLength(name) <= MAX_BYTES) return name;
  const dot = name.lastIndexOf('.');
  const ending = dot > 0 ? name.slice(dot) : '';
  const kept = Buffer.byteLength(ending) <= MAX_ENDING_BYTES ? ending : '';
  const stem = kept === '' ? name : name.slice(0, dot);
  const room = MAX_BYTES - Buffer.byteLength(kept);
  return `${firstBytes(stem, room).replace(/[.\s]+$/, '')}${kept}`;
}

function firstBytes(text: string, most: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > most) break;
    end += character.length;
  }
  return text.slice(0, end);
}
