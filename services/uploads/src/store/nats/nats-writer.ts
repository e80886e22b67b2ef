/** Writes one object: messages of one size in their order, then what describes it. */
import { type Appended, type Bus, BusError, isBusError, Slabs } from '@natter/runtime';
import type { Placement } from '../../records/stored-file.ts';
import type { StoreWriter, WrittenFile } from '../file-store.ts';
import { bytesSubject, infoSubject, objectInfo } from './object-info.ts';

/** One message; its headers fit beside it into the broker's max_payload of 2 MB. */
const MESSAGE_BYTES = 1024 * 1024;
/** Messages that wait for their acknowledgement: the broker writes one while the next is on its way. */
const IN_FLIGHT = 4;
/** Longer than a restart of the broker. */
const APPEND_MS = 10_000;

export class NatsWriter implements StoreWriter {
  readonly #bus: Bus;
  readonly #key: string;
  readonly #remove: () => Promise<void>;
  readonly #seqs: number[] = [];
  /** Appends under way, the oldest first. */
  readonly #under: { append: Promise<Appended>; message: Buffer }[] = [];
  readonly #slabs = new Slabs(MESSAGE_BYTES, IN_FLIGHT);
  /** The message that is being filled. */
  #message: Buffer | null = null;
  #filled = 0;
  #count = 0;

  constructor(bus: Bus, key: string, remove: () => Promise<void>) {
    this.#bus = bus;
    this.#key = key;
    this.#remove = remove;
  }

  async push(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      this.#message ??= this.#slabs.take();
      const taken = Math.min(bytes.length - at, MESSAGE_BYTES - this.#filled);
      this.#message.set(bytes.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled === MESSAGE_BYTES) await this.#send(this.#message);
    }
  }

  async commit(file: WrittenFile): Promise<Placement> {
    if (this.#message !== null) await this.#send(this.#message);
    while (this.#under.length > 0) await this.#acknowledged();
    // A repeat after a lost connection may have overtaken another one: then the order is wrong.
    if (this.#seqs.some((seq, index) => seq <= (this.#seqs[index - 1] ?? 0)))
      throw new BusError('UNAVAILABLE', 'the broker stored the messages of an object in another order');
    const info = objectInfo(this.#key, file, { count: this.#seqs.length, bytes: MESSAGE_BYTES });
    const options = { id: `${this.#key}-info`, rollup: true, timeoutMs: APPEND_MS };
    await this.#bus.append(infoSubject(this.#key), JSON.stringify(info), options);
    return { store: 'nats', key: this.#key, messageBytes: MESSAGE_BYTES, seqs: this.#seqs };
  }

  async abort(): Promise<void> {
    // What is under way would arrive after the purge.
    await Promise.allSettled(this.#under.map(({ append }) => append));
    await this.#remove();
  }

  async #send(message: Buffer): Promise<void> {
    while (this.#under.length >= IN_FLIGHT) await this.#acknowledged();
    const bytes = message.subarray(0, this.#filled);
    this.#message = null;
    this.#filled = 0;
    const id = `${this.#key}-${this.#count}`;
    this.#count += 1;
    const append = this.#bus.bulk.append(bytesSubject(this.#key), bytes, { id, timeoutMs: APPEND_MS });
    // Awaited in its turn; until then a failure is nobody's.
    append.catch(() => undefined);
    this.#under.push({ append, message });
  }

  async #acknowledged(): Promise<void> {
    const [oldest] = this.#under;
    if (oldest === undefined) return;
    const { seq } = await oldest.append.catch((error: unknown) => {
      // Full: the parts stay, so a later finalize can succeed.
      if (isBusError(error, 'REFUSED')) throw new BusError('UNAVAILABLE', 'OBJ_files takes no more', error);
      throw error;
    });
    this.#under.shift();
    this.#slabs.give(oldest.message);
    this.#seqs.push(seq);
  }
}
