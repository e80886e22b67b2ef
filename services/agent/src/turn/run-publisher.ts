/**
 * Publishes what a run emits: one publish in flight, what arrives meanwhile merged into the next.
 *
 * A quiet system sends every token at once, a busy one merges by itself. Each publish names the
 * sequence it follows, so that an agent which has lost the run is refused by the broker
 * (docs/decisions/0003-stop-and-wait-publishing.md).
 */
import { LIMITS, RunBatch, type RunEnd, type RunEvent, STREAMS } from '@natter/proto';
import { type Bus, isBusError } from '@natter/runtime';
import { isMark, Marks } from './marks.ts';
import type { PublishRounds } from './publish-rounds.ts';
import type { Published } from './published.ts';

/** Another agent has taken the run over; nothing more may be published. */
export class RunLost extends Error {
  readonly code = 'RUN_LOST';
  constructor() {
    super('another agent has taken the run over');
    this.name = 'RunLost';
  }
}

export interface RunPublisherOptions {
  bus: Bus;
  subject: string;
  claim: number;
  published: Published;
  /** Asks the registry whether the run is still ours. */
  isOurs: () => Promise<boolean>;
  signal: AbortSignal;
  rounds: PublishRounds;
}

/** How long one try may take while the broker is away; there is another after it. */
const PUBLISH_TIMEOUT_MS = 10_000;

const HIGH_SURROGATE = 0xd800;

const decoder = new TextDecoder();

export class RunPublisher {
  readonly #options: RunPublisherOptions;
  readonly #marks: Marks;
  /** All of the answer, published or not. */
  #text: string;
  /** Ends the last text in the middle of a character; waits for its other half. */
  #half = '';
  #pending: RunEvent[] = [];
  #n: number;
  #seq: number;
  #flight: Promise<void> | null = null;
  #failure: unknown = null;
  /** Where in MESSAGES the end of the run is written. */
  #endSeq: number | null = null;

  constructor(options: RunPublisherOptions) {
    this.#options = options;
    this.#marks = new Marks(options.published.marks.all());
    this.#text = options.published.text;
    this.#n = options.published.n;
    this.#seq = options.published.seq;
  }

  get text(): string {
    return this.#text;
  }

  /** Adds an event; what is told once, and was told before, is left out. Throws RunLost, late. */
  emit(event: Exclude<RunEvent, { type: 'text.delta' }>): void {
    if (isMark(event) && !this.#marks.add(event)) return;
    this.#add(event);
  }

  /** Adds to the answer. Throws when the run is lost or the answer is above its limit. */
  append(text: string): void {
    let fresh = this.#half + text;
    this.#half = '';
    // Half a surrogate pair is no text in UTF-8.
    if ((fresh.charCodeAt(fresh.length - 1) & 0xfc00) === HIGH_SURROGATE) {
      this.#half = fresh.slice(-1);
      fresh = fresh.slice(0, -1);
    }
    if (fresh === '') return;
    if (this.#text.length + fresh.length > LIMITS.answerChars)
      throw new Error('the answer is above its limit');
    const last = this.#pending.at(-1);
    if (last?.type === 'text.delta') {
      this.#text += fresh;
      last.text += fresh;
      return;
    }
    const at = this.#text.length;
    this.#text += fresh;
    this.#add({ type: 'text.delta', at, text: fresh });
  }

  /** Resolves when everything added so far is stored. */
  async flush(): Promise<void> {
    while (this.#flight !== null) await this.#flight;
    if (this.#failure !== null) throw this.#failure;
  }

  /** Publishes the last event of the run, after everything else, by itself. */
  async end(event: RunEnd, endSeq: number): Promise<void> {
    await this.flush();
    this.#endSeq = endSeq;
    this.#add(event);
    await this.flush();
  }

  #add(event: RunEvent): void {
    if (this.#failure !== null) throw this.#failure;
    this.#pending.push(event);
    this.#flight ??= this.#pump();
  }

  async #pump(): Promise<void> {
    try {
      while (this.#pending.length > 0) {
        await this.#options.rounds.next();
        const events = this.#pending;
        this.#pending = [];
        await this.#publish(events);
      }
    } catch (error) {
      this.#failure = error;
    } finally {
      this.#flight = null;
    }
  }

  async #publish(events: RunEvent[]): Promise<void> {
    const { bus, subject, claim, signal } = this.#options;
    const batch: RunBatch = { n: this.#n + 1, claim, events };
    if (this.#endSeq !== null) batch.endSeq = this.#endSeq;
    for (;;) {
      signal.throwIfAborted();
      try {
        const options = { expectLast: this.#seq, timeoutMs: PUBLISH_TIMEOUT_MS };
        this.#seq = (await bus.append(subject, JSON.stringify(batch), options)).seq;
        break;
      } catch (error) {
        if (isBusError(error, 'CONFLICT')) {
          if (await this.#isStored(batch)) break;
        } else if (!isBusError(error, 'UNAVAILABLE')) throw error;
      }
    }
    this.#n = batch.n;
  }

  /**
   * After a refusal: whether this very batch was stored, its acknowledgement lost.
   *
   * Else either EVENTS has forgotten the run (broker restarted, or nothing said for minutes):
   * then the batch starts over with all that was published. Or somebody else wrote: RunLost.
   */
  async #isStored(batch: RunBatch): Promise<boolean> {
    const last = await this.#options.bus.stored.last(STREAMS.events, this.#options.subject);
    if (last !== null) {
      const stored = RunBatch.parse(JSON.parse(decoder.decode(last.data)));
      if (stored.claim !== batch.claim) throw new RunLost();
      this.#seq = last.seq;
      return decoder.decode(last.data) === JSON.stringify(batch);
    }
    if (!(await this.#options.isOurs())) throw new RunLost();
    this.#seq = 0;
    batch.events = this.#fromTheStart(batch.events);
    return false;
  }

  #fromTheStart(events: RunEvent[]): RunEvent[] {
    const all: RunEvent[] = this.#marks.all();
    if (this.#text !== '') all.push({ type: 'text.delta', at: 0, text: this.#text });
    // What has been added since is in these already, and readers drop what they have.
    return [...all, ...events.filter((event) => !isMark(event) && event.type !== 'text.delta')];
  }
}
