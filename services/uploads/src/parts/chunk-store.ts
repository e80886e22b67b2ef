/** Parts of uploads in CHUNKS: one subject for a part, so that one that is sent again replaces itself. */
import { randomUUID } from 'node:crypto';
import { STREAMS, SUBJECTS } from '@natter/proto';
import { type Bus, BusError } from '@natter/runtime';
import { type Part, type Piece, partName, partOfSubject } from './part.ts';

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

  /** Returns once the broker has it on disk. */
  async put(id: string, part: Part, bytes: Uint8Array): Promise<void> {
    // An id of this request alone: it makes a repeat by the bus harmless, and one by the client count.
    await this.#bus.append(SUBJECTS.chunk(id, partName(part)), bytes, { id: randomUUID() });
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

  /** The bytes of the pieces, in their order; throws PartGone. */
  async *read(id: string, pieces: readonly Piece[]): AsyncGenerator<Uint8Array> {
    const under: Promise<Uint8Array>[] = [];
    try {
      for (let next = 0, done = 0; done < pieces.length; done += 1) {
        for (; next < pieces.length && next <= done + AHEAD; next += 1) {
          const reading = this.#readPiece(id, pieces[next] as Piece);
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

  async #readPiece(id: string, { part, skip }: Piece): Promise<Uint8Array> {
    const subject = SUBJECTS.chunk(id, partName(part));
    const { stored } = this.#bus;
    const found = await (this.#fromLeader
      ? stored.lastFromLeader(STREAMS.chunks, subject)
      : stored.last(STREAMS.chunks, subject));
    if (found === null) throw new PartGone(`a part of ${id} is gone`);
    if (found.data.length !== part.length) throw new BusError('REFUSED', 'a part has another length');
    return skip === 0 ? found.data : found.data.subarray(skip);
  }
}
