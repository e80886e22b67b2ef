/** Streams whose tokens are written at fixed times, each stamped with the time it was due. */
import type { ServerResponse } from 'node:http';
import { STAMP_CHARS, writeStamp } from '../../load/token-frame.ts';
import { monotonicMicros } from '../../measure/clock.ts';
import { type Distribution, Samples } from '../../measure/samples.ts';
import type { Chunks } from './chunks.ts';

export interface Pace {
  tokensPerSecond: number;
  tokens: number;
  epochMicros: number;
}

interface Stream {
  response: ServerResponse;
  dueMicros: number;
  left: number;
  pace: Pace;
}

/** Timers of Node are whole milliseconds; this is the longest the schedule sleeps instead. */
const NAP_MS = 0.25;

export class Schedule {
  readonly #chunks: Chunks;
  /** What stands before and after the stamp, framing of HTTP included. */
  readonly #before: string;
  readonly #after: string;
  readonly #streams = new Set<Stream>();
  readonly #napping = new Int32Array(new SharedArrayBuffer(4));
  #lateness = new Samples();
  #ticking = false;

  constructor(chunks: Chunks) {
    this.#chunks = chunks;
    const event = chunks.text('@'.repeat(STAMP_CHARS));
    const [before, after] = event.split('@'.repeat(STAMP_CHARS)) as [string, string];
    this.#before = `${event.length.toString(16)}\r\n${before}`;
    this.#after = `${after}\r\n`;
  }

  /** The first token is due one interval from now. */
  add(response: ServerResponse, pace: Pace): void {
    const stream = {
      response,
      dueMicros: monotonicMicros() + 1e6 / pace.tokensPerSecond,
      left: pace.tokens,
      pace,
    };
    this.#streams.add(stream);
    response.on('close', () => this.#streams.delete(stream));
    response.flushHeaders();
    if (!this.#ticking) this.#tick();
  }

  /** Those whose last token was not written yet. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Microseconds by which tokens were written late; null when there were none. */
  takeLateness(): Distribution | null {
    const samples = this.#lateness;
    this.#lateness = new Samples();
    return samples.count === 0 ? null : samples.distribution();
  }

  #tick(): void {
    this.#ticking = this.#streams.size > 0;
    if (!this.#ticking) return;
    const now = monotonicMicros();
    for (const stream of this.#streams)
      while (stream.left > 0 && stream.dueMicros <= now) this.#write(stream);
    // A blocking nap between two turns of the event loop: requests wait 0.25 ms at most.
    Atomics.wait(this.#napping, 0, 0, NAP_MS);
    setImmediate(() => this.#tick());
  }

  #write(stream: Stream): void {
    const { response, dueMicros, pace } = stream;
    stream.left -= 1;
    stream.dueMicros = dueMicros + 1e6 / pace.tokensPerSecond;
    // The chunk is framed here: `response.write` costs three times as much, on the core that
    // the broker and the gateway need.
    response.socket?.write(this.#before + writeStamp(dueMicros - pace.epochMicros) + this.#after, 'latin1');
    if (stream.left === 0) {
      this.#streams.delete(stream);
      response.end(this.#chunks.tail(pace.tokens));
    }
    this.#lateness.add(monotonicMicros() - dueMicros);
  }
}
