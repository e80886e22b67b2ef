/**
 * Stores and reads large messages over a connection of their own (docs/decisions/0021).
 *
 * The client library copies a message twice on its way out, and up to four times on its way in, into
 * fresh memory: 0.9 and 1.6 ms a MB. What goes wrong here is done over the library's connection, which
 * goes on trying while the broker is away.
 */
import { readFile } from 'node:fs/promises';
import type { Appended, AppendOptions } from '../bus.ts';
import type { BusOptions } from '../connect.ts';
import { apiError, BusError, isBusError } from '../errors.ts';
import type { StreamReader } from '../stream-reader.ts';
import { type BulkAnswer, BulkWire } from './bulk-wire.ts';

/** One try; after it the library goes on. */
const ATTEMPT_MS = 2_000;
/** After a connection could not be opened, or broke off amid a request: until then the library does it all. */
const AGAIN_MS = 5_000;

const NOT_FOUND = 404;
const NO_RESPONDERS = 503;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface BulkDeps {
  options: BusOptions;
  inboxPrefix: string;
  /** `host:port` of the broker that the library is connected to. */
  server(): string;
  connected(): boolean;
  reader: Pick<StreamReader, 'last'>;
  append(subject: string, data: Uint8Array, options: AppendOptions): Promise<Appended>;
}

export class Bulk {
  readonly #deps: BulkDeps;
  readonly #plain: boolean;
  #wire: BulkWire | null = null;
  #opening: Promise<BulkWire | null> | null = null;
  #triedAtMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(deps: BulkDeps) {
    this.#deps = deps;
    // TLS and passwords in addresses are the library's.
    this.#plain = deps.options.url.split(',').every((url) => /^\s*(nats:\/\/)?[^@/]+\/?\s*$/.test(url));
  }

  /**
   * As `Bus.append` with an id, which makes a repeat harmless.
   *
   * `data` must stay as it is until it settled; after a failure for ever.
   */
  async append(
    subject: string,
    data: Uint8Array,
    { id, timeoutMs }: { id: string; timeoutMs: number },
  ): Promise<Appended> {
    const deadline = Date.now() + timeoutMs;
    const wire = this.#open() ?? (await this.#opening);
    if (wire !== null) {
      const head = `NATS/1.0\r\nNats-Msg-Id: ${inLine(id)}\r\n\r\n`;
      const answer = await this.#ask(wire, subject, { head, body: data }, Math.min(ATTEMPT_MS, timeoutMs));
      if (answer !== null && statusOf(answer) !== NO_RESPONDERS) return appended(answer);
    }
    return this.#deps.append(subject, data, { id, timeoutMs: Math.max(50, deadline - Date.now()) });
  }

  /** Bytes of the last message of a subject, in `into` where they fit; null where it has none. */
  async last(stream: string, subject: string, into: Uint8Array): Promise<Uint8Array | null> {
    const wire = this.#open() ?? (await this.#opening);
    if (wire !== null) {
      const body = encoder.encode(JSON.stringify({ last_by_subj: subject }));
      const answer = await this.#ask(wire, `$JS.API.DIRECT.GET.${stream}`, { body, into }, ATTEMPT_MS);
      // Messages carry no status code; statuses carry no sequence.
      if (answer?.head.includes('\r\nNats-Sequence:')) return answer.body;
      if (answer !== null && statusOf(answer) === NOT_FOUND) return null;
    }
    return (await this.#deps.reader.last(stream, subject))?.data ?? null;
  }

  close(): void {
    this.#closed = true;
    this.#wire?.close();
  }

  /** Null where the connection broke off: the library does it, and what comes soon after as well. */
  async #ask(
    wire: BulkWire,
    subject: string,
    message: Parameters<BulkWire['request']>[1],
    timeoutMs: number,
  ): Promise<BulkAnswer | null> {
    try {
      return await wire.request(inLine(subject), message, timeoutMs);
    } catch (error) {
      if (!isBusError(error, 'UNAVAILABLE')) throw error;
      // Where nothing comes back, each request would wait for that anew.
      this.#triedAtMs = Date.now();
      return null;
    }
  }

  /** The connection, where there is one; else it is being opened, or can't be now. */
  #open(): BulkWire | null {
    if (this.#wire?.lost === false) return this.#wire;
    this.#wire = null;
    const { connected } = this.#deps;
    if (this.#opening !== null || !this.#plain || this.#closed || !connected()) return null;
    if (Date.now() < this.#triedAtMs + AGAIN_MS) return null;
    this.#opening = this.#dial().then((wire) => {
      this.#opening = null;
      this.#wire = wire;
      if (wire === null) this.#triedAtMs = Date.now();
      if (this.#closed) wire?.close();
      return wire;
    });
    return null;
  }

  async #dial(): Promise<BulkWire | null> {
    const { options, inboxPrefix, server } = this.#deps;
    const match = /^\[?([^\]]+?)\]?:(\d+)$/.exec(server());
    if (match === null) return null;
    const [, host = '', port] = match;
    try {
      const seed = options.nkeyFile ? await readFile(options.nkeyFile, 'utf8') : null;
      return await BulkWire.open({
        ...{ host, port: Number(port), name: options.name, inboxPrefix },
        seed: seed === null ? null : encoder.encode(seed.trim()),
      });
    } catch (error) {
      // Slower, not wrong: the library's connection does it.
      if (isBusError(error, 'UNAVAILABLE') || (error as NodeJS.ErrnoException).syscall !== undefined)
        return null;
      throw error;
    }
  }
}

/** A text as it may stand in a line of the protocol; throws REFUSED for one that would end it. */
function inLine(text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text))
    throw new BusError('REFUSED', `no part of a line: ${JSON.stringify(text)}`);
  return text;
}

function appended(answer: BulkAnswer): Appended {
  const ack = JSON.parse(decoder.decode(answer.body));
  if (ack.error) throw apiError(ack.error);
  return { seq: ack.seq, duplicate: ack.duplicate === true };
}

/** The status of an answer without a body: `NATS/1.0 404 Message Not Found`. */
function statusOf({ head }: BulkAnswer): number {
  return Number(/^NATS\/1\.0 (\d{3})/.exec(head)?.[1] ?? 0);
}
