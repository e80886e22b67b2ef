/**
 * A client of any chat wire that keeps the newest cursor and comes back with it.
 *
 * What it got over all of its connections is one story: each answer's text, each message, each end.
 * Whatever breaks a promise of the wires on the way is kept in `faults`.
 */
import { type Closed, connect, type Frame, type Probe } from '@natter/testkit';
import type { ChatWire, End, Seen, Visit } from './chat-wires.ts';

export interface Told {
  run: string | null;
  text: string;
  /** Null while it is being written. */
  status: End | null;
  code?: string;
}

export interface Heard {
  key: string | null;
  id: string | null;
  text: string;
  queued: boolean;
}

const WAIT_MS = 20_000;
const JOURNAL_LINES = 200;

export class ResumingClient {
  readonly wire: ChatWire;
  readonly visit: Visit;
  /** Answers in the order in which they began. */
  answers: Told[] = [];
  /** What people said, in the order in which it came. */
  heard: Heard[] = [];
  /** rooms-v1: bus-wide ids of its own messages that the broker has, by the client's. */
  readonly confirmed = new Map<string, string>();
  readonly refusals: string[] = [];
  readonly stopping: string[] = [];
  /** Whether each resume was recovered. */
  readonly recoveries: boolean[] = [];
  readonly faults: string[] = [];
  /** What it did and got, in brief, for the report of a failure. */
  readonly journal: string[] = [];
  /** The newest cursor; empty before the first. */
  cursor = '';
  #probe: Probe | null = null;
  /** Frames of this connection that were read. */
  #read = 0;
  #isReady = false;
  #before: Seen['kind'] | null = null;

  constructor(wire: ChatWire, visit: Visit) {
    this.wire = wire;
    this.visit = visit;
  }

  get probe(): Probe {
    if (this.#probe === null) throw new Error('not connected');
    return this.#probe;
  }

  /** Answers that have ended. */
  get ended(): Told[] {
    return this.answers.filter(({ status }) => status !== null);
  }

  /** Text of the answer under way, or ''. */
  get underway(): string {
    return this.#current()?.text ?? '';
  }

  /** Connects, with the newest cursor if there is one, and waits until the gateway says so. */
  async open(url: string): Promise<void> {
    const { wire, visit, cursor } = this;
    const query = { seq: '1', resume: cursor, ...visit.query };
    const resumes = this.recoveries.length + (query.resume === '' ? 0 : 1);
    // Without a cursor it starts anew, and what is being said is told from its beginning.
    if (query.resume === '') this.forgetUnfinished();
    this.#isReady = !wire.greets;
    this.#before = null;
    this.#read = 0;
    this.#note(`opens ${url} with ${query.resume || 'no cursor'}`);
    this.#probe = await connect(url + wire.path({ ...visit, query }), { timeoutMs: 30_000 });
    await this.until(() => this.#isReady && this.recoveries.length >= resumes);
  }

  ask(text: string, messageId: string): void {
    this.probe.send(this.wire.ask(text, messageId, this.visit));
  }

  cancel(messageId: string | null = null): void {
    this.probe.send(this.wire.cancel(this.visit, messageId));
  }

  /** Drops the answer under way: it will be told from its beginning, or not at all. */
  forgetUnfinished(): void {
    this.answers = this.ended;
  }

  /** Reads frame by frame until it is so. What came later is unread, and lost by a `cut`. */
  async until(isSo: () => boolean, timeoutMs = WAIT_MS): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    try {
      while (!isSo()) this.#absorb(await this.probe.next(undefined, Math.max(1, deadline - Date.now())));
    } catch (cause) {
      throw new Error(`${this.wire.name}: ${String(cause)}\n${this.journal.slice(-40).join('\n')}`, {
        cause,
      });
    }
  }

  /** Reads so many frames more. */
  async frames(count: number): Promise<void> {
    for (let read = 0; read < count; read += 1) this.#absorb(await this.probe.next(undefined, WAIT_MS));
  }

  /** Frames that have come and were not read. */
  get unread(): number {
    return this.probe.frames.length - this.#read;
  }

  /** Waits for the next frame, if none is unread, at most so long. */
  async untilFrame(timeoutMs: number): Promise<void> {
    if (this.unread > 0) return;
    const { socket } = this.probe;
    await Promise.race([
      new Promise<void>((resolve) => void setTimeout(resolve, timeoutMs)),
      new Promise<void>((resolve) => void socket.once('message', () => resolve())),
    ]);
  }

  /** Reads what came before the connection closed, by whomever. */
  async lost(): Promise<Closed> {
    const closed = await this.probe.closing(30_000);
    await this.readRest();
    return closed;
  }

  /** Reads all that has come so far. */
  async readRest(): Promise<void> {
    // `next` throws on a closed socket only once all of its frames were read.
    while (this.unread > 0) this.#absorb(await this.probe.next());
  }

  /** Breaks the connection as a lost network does: what is unread never arrived. */
  async cut(): Promise<void> {
    this.#note('cuts');
    this.probe.socket.terminate();
    await this.probe.closed;
  }

  async close(): Promise<void> {
    await this.#probe?.close();
  }

  #absorb(frame: Frame): void {
    this.#read += 1;
    this.#note(JSON.stringify(frame).slice(0, 250) + (frame?.cursor ? ` @${frame.cursor}` : ''));
    const seen = this.wire.read(frame);
    for (const one of seen === null ? [] : [seen].flat()) this.#take(one);
    if (typeof frame?.cursor === 'string') this.cursor = frame.cursor;
  }

  #take(seen: Seen): void {
    if (seen.kind === 'ready') this.#isReady = true;
    else if (seen.kind === 'refused') this.refusals.push(seen.code);
    else if (seen.kind === 'stopping') this.stopping.push(seen.status);
    else if (seen.kind === 'resumed') this.recoveries.push(seen.recovered);
    else if (seen.kind === 'transcript') this.#startAnew(seen);
    else if (seen.kind === 'said') this.#hear(seen);
    else if (seen.kind === 'confirmed') this.confirmed.set(seen.messageId, seen.id);
    else if (seen.kind === 'changed') this.#change(seen);
    else if (seen.kind === 'eof') this.#takeEof();
    else if (seen.kind === 'end') this.#end(seen);
    else this.#grow(seen);
    this.#before = seen.kind;
  }

  #grow(seen: Extract<Seen, { kind: 'delta' | 'so far' }>): void {
    const run = seen.kind === 'delta' ? seen.run : null;
    const answer = this.#answer(run);
    if (seen.kind === 'delta') {
      answer.text += seen.text;
    } else {
      if (!seen.text.startsWith(answer.text)) this.#fault('does not begin with what was there', seen.text);
      answer.text = seen.text;
    }
  }

  #end({ run, status, text, code }: Extract<Seen, { kind: 'end' }>): void {
    const answer = this.#answer(run);
    if (text !== null && text !== answer.text)
      this.#fault(`the end is "${text}", the parts are`, answer.text);
    answer.status = status;
    if (code !== undefined) answer.code = code;
  }

  #takeEof(): void {
    if (this.#before !== 'end' && this.#before !== 'refused') this.#fault('--eof after', `${this.#before}`);
  }

  #hear({ key, id, text, queued }: Extract<Seen, { kind: 'said' }>): void {
    if (key !== null && this.heard.some((one) => one.key === key))
      this.#fault('said twice', `${key}: ${text}`);
    this.heard.push({ key, id, text, queued });
  }

  #change({ id, text }: Extract<Seen, { kind: 'changed' }>): void {
    for (const one of this.heard) if (one.id === id) one.text = text ?? '';
  }

  #startAnew({ messages }: Extract<Seen, { kind: 'transcript' }>): void {
    const of = (wanted: string) => messages.filter(({ role }) => role === wanted);
    this.heard = of('user').map(({ text }) => ({ key: null, id: null, text, queued: false }));
    this.answers = of('assistant').map(({ text, status }) => ({
      run: null,
      text,
      status: status ?? 'completed',
    }));
  }

  /** The answer a frame is about: answers of a conversation come one after the other. */
  #answer(run: string | null): Told {
    const last = this.#current();
    if (last !== null && (run === null || last.run === null || last.run === run)) return last;
    if (last !== null) this.#fault('a new answer before the end of', last.text);
    if (run !== null && this.answers.some((one) => one.run === run)) this.#fault('more after the end', run);
    const answer: Told = { run, text: '', status: null };
    this.answers.push(answer);
    return answer;
  }

  #current(): Told | null {
    const last = this.answers.at(-1);
    return last?.status === null ? last : null;
  }

  #note(what: string): void {
    this.journal.push(what);
    if (this.journal.length > JOURNAL_LINES) this.journal.shift();
  }

  #fault(what: string, about: string): void {
    this.faults.push(
      `${this.wire.name}: ${what} ${about.slice(0, 300)}\n${this.journal.slice(-15).join('\n')}`,
    );
  }
}
