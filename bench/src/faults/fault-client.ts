/** Somebody who talks, keeps the newest cursor, and comes back with it whenever the connection is lost. */
import { WebSocket } from 'ws';
import type { Xorshift } from '../fuzz/xorshift.ts';
import { VisibleTranscript } from './visible-transcript.ts';
import { type FaultWire, keyOf, type Seen, type Visit, type WireFrame } from './wires/fault-wire.ts';

export interface FaultClientOptions {
  wire: FaultWire;
  visit: Visit;
  /** URLs of the gateways; some may be dead. */
  urls: readonly string[];
  random: Xorshift;
  /** The wire has shown that a message of this client is on the broker's disk. */
  acknowledged(messageId: string): void;
}

interface Saying {
  text: string;
  done(): void;
}

/** Until the gateway has let us in, resumed what is to be resumed and answered a ping. */
const OPEN_MS = 15_000;
const AGAIN_MS = { least: 20, most: 120 };
/** A gateway tries 10 s to store a message before it says that it can't. */
const UNHEARD_MS = 25_000;
/** The same message may be sent again after these. */
const AGAIN: ReadonlySet<string> = new Set([
  'UNAVAILABLE',
  'TOO_MANY_TURNS',
  'RATE_LIMIT',
  'BUSY',
  'INTERNAL',
]);
/** A cancel may come too late, or before the gateway has heard of the question. */
const HARMLESS: ReadonlySet<string> = new Set(['MESSAGE_NOT_FOUND']);
const JOURNAL_LINES = 60;

export class FaultClient {
  readonly visit: Visit;
  readonly wire: FaultWire;
  readonly story = new VisibleTranscript();
  /** Further things that must not happen. */
  readonly faults: string[] = [];
  /** What it did and got, in brief, for the report of a failure. */
  readonly journal: string[] = [];
  cursor = '';
  connections = 0;
  /** Connections that were given up because nothing happened on them for long. */
  gaveUp = 0;
  readonly #options: FaultClientOptions;
  readonly #unheard = new Map<string, Saying>();
  /** Bus-wide ids of its own messages, by its own, as far as it was told. */
  readonly runs = new Map<string, string>();
  /** Keys of what it said. */
  readonly own = new Set<string>();
  #sentAgain = false;
  #socket: WebSocket | null = null;
  #isOpen = false;
  #waitsFor = new Set<Seen['kind']>();
  #closed = false;
  #timer: NodeJS.Timeout | null = null;
  #again: NodeJS.Timeout | null = null;

  constructor(options: FaultClientOptions) {
    this.#options = options;
    this.visit = options.visit;
    this.wire = options.wire;
  }

  /** Messages that were not acknowledged. */
  get unheard(): string[] {
    return [...this.#unheard.keys()];
  }

  /** Whether it may be told something now. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Begins to connect, and goes on until `close`. */
  open(): void {
    const { urls, random } = this.#options;
    const waitsFor: Seen['kind'][] = ['welcome'];
    if (this.cursor !== '') waitsFor.push('resumed');
    // Who resumes is in the room already.
    else if (this.visit.room !== null && this.wire.joins) waitsFor.push('joined');
    this.#waitsFor = new Set(waitsFor);
    this.#isOpen = false;
    this.connections += 1;
    const path = this.wire.path(this.visit, this.cursor);
    this.#note(`opens with ${this.cursor || 'no cursor'}`);
    const socket = new WebSocket(random.pick(urls) + path, {
      perMessageDeflate: false,
      handshakeTimeout: 5_000,
    });
    this.#socket = socket;
    socket.on('message', (data) => this.#take(socket, JSON.parse(String(data)) as WireFrame));
    socket.on('pong', () => this.#ready(socket));
    // What it is about comes with `close`.
    socket.on('error', (error) => this.#note(error.message));
    socket.on('close', (code) => this.#lost(socket, code));
    this.#deadline(OPEN_MS);
  }

  /** Resolves when the wire has shown that the broker has it. */
  say(text: string, messageId: string): Promise<void> {
    return new Promise((resolve) => {
      this.own.add(keyOf(this.visit.sub, messageId));
      this.#unheard.set(messageId, { text, done: resolve });
      if (this.#isOpen) this.#send(messageId);
    });
  }

  cancel(messageId: string): void {
    if (this.#isOpen) this.#socket?.send(JSON.stringify(this.wire.cancel(messageId, this.visit)));
  }

  /** Breaks the connection as a lost network does. */
  cut(): void {
    this.#note('cuts');
    this.#socket?.terminate();
  }

  close(): void {
    this.#closed = true;
    this.#isOpen = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#again !== null) clearTimeout(this.#again);
    this.#socket?.terminate();
  }

  #take(socket: WebSocket, frame: WireFrame): void {
    if (socket !== this.#socket) return;
    this.#note(
      `${JSON.stringify(frame).slice(0, 200)}${frame.cursor === undefined ? '' : ` @${frame.cursor}`}`,
    );
    const seen = this.wire.read(frame);
    if (seen !== null) this.#see(seen);
    if (typeof frame.cursor === 'string') this.cursor = frame.cursor;
    if (this.#waitsFor.delete(seen?.kind ?? 'fault') && this.#waitsFor.size === 0) socket.ping();
  }

  /** The gateway has read all before the ping, and we all that it had sent before its answer. */
  #ready(socket: WebSocket): void {
    if (socket !== this.#socket || this.#isOpen) return;
    this.#isOpen = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const messageId of this.#unheard.keys()) {
      this.#sentAgain = true;
      this.#send(messageId);
    }
  }

  #see(seen: Seen): void {
    const { story } = this;
    switch (seen.kind) {
      case 'said': {
        const isOwn = this.own.has(seen.key);
        story.hear(seen, isOwn);
        if (!isOwn) return;
        const messageId = seen.key.slice(this.visit.sub.length + 1);
        this.runs.set(messageId, seen.run);
        return this.#hasHeard(messageId);
      }
      case 'confirmed':
        this.runs.set(seen.messageId, seen.run);
        return this.#hasHeard(seen.messageId);
      case 'progress':
        return this.#hasHeardAny();
      case 'delta':
        this.#hasHeardAny();
        return story.grow(seen, this.#sentAgain);
      case 'end':
        this.#hasHeardAny();
        return story.end(seen, this.#sentAgain);
      case 'resumed':
        if (!seen.recovered) this.faults.push('was told of a gap');
        return;
      case 'refused':
        return this.#refused(seen.code, seen.messageId);
      case 'fault':
        this.faults.push(`was sent ${seen.what}`);
        return;
      default:
        return;
    }
  }

  /** Where nothing else confirms a question, its answer does: this load asks one at a time. */
  #hasHeardAny(): void {
    if (this.wire.confirms) return;
    for (const messageId of this.#unheard.keys()) this.#hasHeard(messageId);
  }

  #hasHeard(messageId: string): void {
    const saying = this.#unheard.get(messageId);
    if (saying === undefined) return;
    this.#unheard.delete(messageId);
    this.#options.acknowledged(messageId);
    saying.done();
  }

  #refused(code: string, messageId: string | null): void {
    if (HARMLESS.has(code)) return;
    if (!AGAIN.has(code)) return void this.faults.push(`was refused: ${code}`);
    // Nothing was sent yet: who resumes or joins is to come again.
    if (!this.#isOpen) return this.#socket?.terminate();
    this.#again ??= setTimeout(() => {
      this.#again = null;
      this.#sentAgain = true;
      for (const unheard of this.#unheard.keys())
        if (messageId === null || messageId === unheard) this.#send(unheard);
    }, this.#pause());
  }

  #send(messageId: string): void {
    const saying = this.#unheard.get(messageId);
    if (saying === undefined || !this.#isOpen) return;
    this.#note(`says ${messageId}`);
    this.#socket?.send(JSON.stringify(this.wire.say(saying.text, messageId, this.visit)));
    this.#deadline(UNHEARD_MS);
  }

  /** A connection on which nothing happens is given up. */
  #deadline(ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#isOpen && this.#unheard.size === 0) return;
      this.gaveUp += 1;
      this.#note(`gives up after ${ms} ms`);
      this.#socket?.terminate();
    }, ms);
  }

  #lost(socket: WebSocket, code: number): void {
    if (socket !== this.#socket || this.#closed) return;
    this.#note(`lost with ${code}`);
    this.#isOpen = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), this.#pause());
  }

  #pause(): number {
    return AGAIN_MS.least + this.#options.random.below(AGAIN_MS.most - AGAIN_MS.least);
  }

  #note(what: string): void {
    this.journal.push(`${Math.round(performance.now())} ${what}`);
    if (this.journal.length > JOURNAL_LINES) this.journal.shift();
  }
}
