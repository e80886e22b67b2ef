/** Parts of uploads in CHUNKS: one subject for a part, so that one that is sent again replaces itself. */
import { partName, STREAMS, SUBJECTS } from '@natter/proto';
import { type Bus, BusError } from '@natter/runtime';
import { type Part, type Piece, partOfSubject } from './part.ts';

/** Parts that are fetched before they are needed: the broker reads while the one before is hashed. */
const AHEAD = 2;

/** A part that was to be read has gone: somebody else has finished, or cancelled. */
export class PartGone extends Error {
  readonly code = 'PART_GONE';
}

export class ChunkStore {
  readonly #bus: Bus;
  readonly #fromLeader: boolean;

  /** `fromLeader`: read parts from the leader, where replicas may be behind. */
  constructor(bus: Bus, fromLeader: boolean) {
    this.#bus = bus;
    this.#fromLeader = fromLeader;
  }

  /** Parts that have been acknowledged, in no order. */
  async arrived(id: string): Promise<Part[]> {
    const subjects = await this.#bus.subjectsOf(STREAMS.chunks, SUBJECTS.chunk(id, '*'));
    return subjects.map(partOfSubject).filter((part) => part !== null);
  }

  async remove(id: string, part: Part): Promise<void> {
    await this.#bus.purge(STREAMS.chunks, SUBJECTS.chunk(id, partName(part)));
  }

  async removeAll(id: string): Promise<void> {
    await this.#bus.purge(STREAMS.chunks, SUBJECTS.chunk(id, '*'));
  }

  /** The bytes of the pieces, in their order, each until the next is asked for; throws PartGone. */
  async *read(id: string, pieces: readonly Piece[]): AsyncGenerator<Uint8Array> {
    const longest = Math.max(...pieces.map(({ part }) => part.length));
    // As many as are under way, and the one that was given out.
    const slabs = Array.from({ length: Math.min(AHEAD + 1, pieces.length) }, () =>
      Buffer.allocUnsafeSlow(longest),
    );
    const under: Promise<Uint8Array>[] = [];
    try {
      for (let next = 0, done = 0; done < pieces.length; done += 1) {
        for (; next < pieces.length && next <= done + AHEAD; next += 1) {
          const reading = this.#readPiece(id, pieces[next] as Piece, slabs[next % slabs.length] as Buffer);
          // Awaited in its turn; until then a failure is nobody's.
          reading.catch(() => undefined);
          under.push(reading);
        }
        const bytes = await under.shift();
        if (bytes !== undefined) yield bytes;
      }
    } finally {
      await Promise.allSettled(under);
    }
  }

  async #readPiece(id: string, { part, skip }: Piece, into: Buffer): Promise<Uint8Array> {
    const subject = SUBJECTS.chunk(id, partName(part));
    const found = await (this.#fromLeader
      ? this.#bus.stored.lastFromLeader(STREAMS.chunks, subject).then((stored) => stored?.data ?? null)
      : this.#bus.bulk.last(STREAMS.chunks, subject, into));
    if (found === null) throw new PartGone(`a part of ${id} is gone`);
    if (found.length !== part.length) throw new BusError('REFUSED', 'a part has another length');
    return skip === 0 ? found : found.subarray(skip);
  }
}
