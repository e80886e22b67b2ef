/** Writes the events of one completion at its pace, no faster than the client reads. */
import type { ServerResponse } from 'node:http';
import type { RecordedRequest } from '../http/request-record.ts';
import type { StreamFrames } from '../wire/completion.ts';
import type { Pace } from './pace.ts';
import type { Paced, Ticker } from './ticker.ts';

/** Tokens in one write: about 50 KB, so that one fast stream leaves room for the others. */
const MAX_BATCH = 200;
/** A client that reads nothing for this long while data waits is cut off. */
const STALLED_MS = 60_000;

export interface StreamPlan extends StreamFrames {
  /** `cut` destroys the socket in place of a proper end. */
  end: 'finish' | 'cut';
}

export class StreamDelivery implements Paced {
  readonly #response: ServerResponse;
  readonly #plan: StreamPlan;
  readonly #pace: Pace;
  readonly #record: RecordedRequest;
  readonly #ticker: Ticker;
  #sent = 0;
  #headSent = false;
  #blocked = false;

  constructor(
    response: ServerResponse,
    plan: StreamPlan,
    pace: Pace,
    record: RecordedRequest,
    ticker: Ticker,
  ) {
    this.#response = response;
    this.#plan = plan;
    this.#pace = pace;
    this.#record = record;
    this.#ticker = ticker;
  }

  start(): void {
    const response = this.#response;
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    });
    response.flushHeaders();
    response.on('drain', () => this.#unblock());
    response.once('close', () => this.#ticker.remove(this));
    this.#ticker.add(this);
  }

  nextAt(): number {
    return this.#blocked ? Number.POSITIVE_INFINITY : this.#pace.at(this.#headSent ? this.#sent : 0);
  }

  advance(now: number): void {
    const due = this.#pace.due(now);
    if (this.#blocked || due < 0) return;
    const upTo = Math.min(due, this.#plan.count, this.#sent + MAX_BATCH);
    let text = this.#headSent ? '' : this.#plan.head;
    this.#headSent = true;
    while (this.#sent < upTo) text += this.#plan.frame(this.#sent++);
    this.#record.tokens = this.#sent;
    if (this.#sent === this.#plan.count) this.#finish(text + this.#plan.tail);
    else if (!this.#response.write(text)) this.#block();
  }

  #finish(text: string): void {
    this.#ticker.remove(this);
    this.#response.setTimeout(STALLED_MS);
    if (this.#plan.end === 'finish') this.#response.end(text);
    // Only once the text is on the wire: destroying the socket drops what it still holds.
    else this.#response.write(text, () => this.#response.destroy());
  }

  #block(): void {
    this.#blocked = true;
    // A timeout that nobody listens to destroys the socket.
    this.#response.setTimeout(STALLED_MS);
  }

  #unblock(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#response.setTimeout(0);
    this.#ticker.wake(this);
  }
}
