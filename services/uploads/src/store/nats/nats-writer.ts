/** Writes one object: messages of one size in their order, then what describes it. */
import { type Appended, type Bus, BusError, isBusError } from '@natter/runtime';
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
  readonly #under: Promise<Appended>[] = [];
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #count = 0;

  constructor(bus: Bus, key: string, remove: () => Promise<void>) {
    this.#bus = bus;
    this.#key = key;
    this.#remove = remove;
  }

  async push(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0; ) {
      const taken = rest.subarray(0, MESSAGE_BYTES - this.#waitingBytes);
      this.#waiting.push(taken);
      this.#waitingBytes += taken.length;
      rest = rest.subarray(taken.length);
      if (this.#waitingBytes === MESSAGE_BYTES) await this.#send();
    }
  }

  async commit(file: WrittenFile): Promise<Placement> {
    if (this.#waitingBytes > 0) await this.#send();
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
    await Promise.allSettled(this.#under);
    await this.#remove();
  }

  async #send(): Promise<void> {
    while (this.#under.length >= IN_FLIGHT) await this.#acknowledged();
    const [only] = this.#waiting;
    const message =
      this.#waiting.length === 1 && only !== undefined
        ? only
        : Buffer.concat(this.#waiting, this.#waitingBytes);
    this.#waiting = [];
    this.#waitingBytes = 0;
    const id = `${this.#key}-${this.#count}`;
    this.#count += 1;
    const append = this.#bus.append(bytesSubject(this.#key), message, { id, timeoutMs: APPEND_MS });
    // Awaited in its turn; until then a failure is nobody's.
    append.catch(() => undefined);
    this.#under.push(append);
  }

  async #acknowledged(): Promise<void> {
    const oldest = this.#under[0];
    if (oldest === undefined) return;
    const { seq } = await oldest.catch((error: unknown) => {
      // Full: the parts stay, so a later finalize can succeed.
      if (isBusError(error, 'REFUSED')) throw new BusError('UNAVAILABLE', 'OBJ_files takes no more', error);
      throw error;
    });
    this.#under.shift();
    this.#seqs.push(seq);
  }
}
