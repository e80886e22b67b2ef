/** The frames of a chat wire: whatever comes is a command or a code, and the code can be said. */
import type { Decoded, Dialect } from '../../../../services/gateway/src/session/dialect.ts';
import { commandProblem } from '../command-problem.ts';
import { goldenFrames } from '../golden-frames.ts';
import type { FuzzTarget } from './fuzz-target.ts';

/** One refusal of so many is encoded, as a gateway would. */
const ENCODE_OF = 16;
/** From here on a part in base64 is read in a way of its own, up to so much around it. */
const LARGE_BYTES = 8 * 1024;
const AROUND_BYTES = 4 * 1024;

export function dialectTarget(name: string, dialect: Dialect): FuzzTarget {
  let refusals = 0;
  return {
    name,
    seeds: goldenFrames(name),
    read: (bytes, isBinary) => dialect.decode(bytes, isBinary),
    problem(result, bytes, isBinary) {
      const decoded = result as Decoded;
      const found = commandProblem(decoded, bytes.length);
      if (found !== null) return found;
      if (!decoded.ok && refusals++ % ENCODE_OF === 0) return refusalProblem(dialect, decoded);
      const isLarge = dialect.manner.uploads && !isBinary && bytes.length >= LARGE_BYTES;
      return isLarge ? otherWayProblem(dialect, bytes, decoded) : null;
    },
  };
}

function refusalProblem(dialect: Dialect, { ok: _, code, ...detail }: Decoded & { ok: false }) {
  const frames = dialect.encodeError(code, { ...detail, correlationId: 'c' });
  if (frames === null) return null;
  return [frames].flat().every((frame) => frame.isWellFormed()) ? null : 'a refusal that is no text';
}

/** Spaces behind the frame make the gateway parse it as any other: the answer must be the same. */
function otherWayProblem(dialect: Dialect, bytes: Uint8Array, decoded: Decoded): string | null {
  const spaced = Buffer.alloc(bytes.length + 2 * AROUND_BYTES, ' ');
  spaced.set(bytes);
  const other = dialect.decode(spaced, false);
  return JSON.stringify(other) === JSON.stringify(decoded) ? null : 'read in two ways, with two results';
}
