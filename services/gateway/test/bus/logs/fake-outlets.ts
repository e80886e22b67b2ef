/** Readers in memory: sockets with topics, and event streams; each keeps what it was sent. */
import type { CloseReason } from '@natter/proto';
import type { LogFormat, LogKind, LogOutlet } from '../../../src/session/logs/log-wire.ts';
import type { Topics } from '../../../src/session/topics.ts';

export interface Got {
  log?: string;
  seq?: number;
  gap?: number | null;
}

export class FakeTopics implements Topics {
  readonly members = new Map<string, Set<FakeOutlet>>();
  published = 0;

  publish(topic: string, frame: string): void {
    this.published += 1;
    for (const outlet of this.members.get(topic) ?? []) outlet.take(frame);
  }
}

export class FakeOutlet implements LogOutlet {
  readonly kind: LogKind;
  readonly format: LogFormat;
  readonly got: Got[] = [];
  /** As `kind` says: frames, or writes of events. */
  readonly pieces: string[] = [];
  /** The pieces that came as bytes. */
  readonly bytes: Uint8Array[] = [];
  waiting = 0;
  ended: CloseReason | null = null;
  onEnd = () => {};
  readonly #topics: FakeTopics;

  constructor(topics: FakeTopics, kind: LogKind, format: LogFormat = 'seq') {
    this.#topics = topics;
    this.kind = kind;
    this.format = format;
  }

  get seqs(): number[] {
    return this.got.flatMap(({ seq }) => (seq === undefined ? [] : [seq]));
  }

  get gaps(): (number | null)[] {
    return this.got.flatMap(({ gap }) => (gap === undefined ? [] : [gap]));
  }

  take(piece: string): void {
    this.pieces.push(piece);
    if (this.kind === 'frames') return void this.got.push(JSON.parse(piece));
    for (const event of piece.split('\n\n').filter(Boolean)) {
      const [, id, data = '{}'] = /^(?:id: (\d+)\n)?data: (.*)$/.exec(event) ?? [];
      this.got.push({ ...JSON.parse(data), ...(id === undefined ? {} : { seq: Number(id) }) });
    }
  }

  send(pieces: readonly string[]): void {
    for (const piece of pieces) this.take(piece);
  }

  sendEvents(events: Uint8Array): void {
    this.bytes.push(events);
    this.take(new TextDecoder().decode(events));
  }

  buffered(): number {
    return this.waiting;
  }

  join(topic: string): void {
    const members = this.#topics.members.get(topic) ?? new Set();
    this.#topics.members.set(topic, members.add(this));
  }

  leave(topic: string): void {
    this.#topics.members.get(topic)?.delete(this);
  }

  end(reason: CloseReason): void {
    this.ended = reason;
    this.onEnd();
  }
}
