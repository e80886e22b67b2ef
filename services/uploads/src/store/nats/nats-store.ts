/** Files in the object store of NATS, in the format of its own tools (ADR-20). */
import { STREAMS } from '@natter/proto';
import { type Bus, BusError } from '@natter/runtime';
import type { Placement } from '../../records/stored-file.ts';
import type { FileStore, StoreWriter } from '../file-store.ts';
import { NatsWriter } from './nats-writer.ts';
import { bytesSubject, infoSubject } from './object-info.ts';

export class NatsStore implements FileStore {
  readonly kind = 'nats';
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  async write(key: string): Promise<StoreWriter> {
    return new NatsWriter(this.#bus, key, () => this.remove(key));
  }

  async read(placement: Placement, offset: number, length: number): Promise<Uint8Array> {
    if (placement.store !== 'nats') throw new BusError('REFUSED', 'the file is in another store');
    const { key, messageBytes, seqs } = placement;
    const first = Math.floor(offset / messageBytes);
    const last = Math.ceil((offset + length) / messageBytes);
    const messages = await Promise.all(seqs.slice(first, last).map((seq) => this.#message(key, seq)));
    const [only] = messages;
    const from = offset - first * messageBytes;
    if (messages.length === 1 && only !== undefined) return only.subarray(from, from + length);
    return Buffer.concat(messages).subarray(from, from + length);
  }

  async remove(key: string): Promise<void> {
    // What describes it goes first: without its bytes it would be a broken object.
    await this.#bus.purge(STREAMS.files, infoSubject(key));
    await this.#bus.purge(STREAMS.files, bytesSubject(key));
  }

  async #message(key: string, seq: number): Promise<Uint8Array> {
    const found = await this.#bus.stored.at(STREAMS.files, seq);
    // A stream that was made anew counts from 1: the sequence may be of another file.
    if (found === null || found.subject !== bytesSubject(key))
      throw new BusError('UNAVAILABLE', `bytes of ${key} are missing`);
    return found.data;
  }
}
