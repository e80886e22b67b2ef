/** Hubs with watchers whose sockets are lists, and somebody who publishes like people and agents. */
import {
  type AssistantMessage,
  type LogEntry,
  type MessagePosted,
  type RunBatch,
  type RunEvent,
  SUBJECTS,
  type TranscriptMessage,
} from '@natter/proto';
import { type Bus, createLogger } from '@natter/runtime';
import { ConversationHub, type Watching } from '../../src/bus/conversation-hub.ts';
import { decodeCursor, type Position } from '../../src/bus/cursor.ts';
import type { WatchOptions } from '../../src/bus/watch.ts';
import type { Dialect, Frames, PlaceEvent } from '../../src/session/dialect.ts';
import { plainDialect } from '../plain-dialect.ts';

export const METADATA = { agent: 'specs', confidence: 1, sources: [], model: 'm', usage: null };

export const runOf = (number: number) =>
  [...String(number)]
    .map((digit) => 'abcdefghij'[Number(digit)])
    .join('')
    .padStart(26, 'z');

/** A frame of the plain wire. */
export interface Sent {
  event?: RunEvent;
  said?: PlaceEvent;
  run?: string;
  session?: string;
  room?: string | null;
  cursor?: string | null;
  queued?: boolean;
  position?: number | null;
}

class FakeTopics {
  readonly members = new Map<string, Set<(frame: string) => void>>();

  publish(topic: string, frame: string): void {
    for (const take of this.members.get(topic) ?? []) take(frame);
  }

  of(topic: string): Set<(frame: string) => void> {
    const found = this.members.get(topic) ?? new Set();
    this.members.set(topic, found);
    return found;
  }
}

export interface HubRig {
  hub: ConversationHub;
  topics: FakeTopics;
  /** Milliseconds the hub's clock is ahead. */
  skewMs: number;
  heard: { rooms: string[]; members: string[]; presence: string[] };
}

export function hubOn(bus: Bus): HubRig {
  const topics = new FakeTopics();
  const heard: HubRig['heard'] = { rooms: [], members: [], presence: [] };
  const self: HubRig = {
    hub: undefined as never,
    topics,
    skewMs: 0,
    heard,
  };
  self.hub = new ConversationHub({
    bus,
    topics,
    rooms: {
      room: (key) => heard.rooms.push(key),
      member: (key) => heard.members.push(key),
      presence: (key) => heard.presence.push(key),
    },
    log: createLogger('gateway', 'silent'),
    now: () => Date.now() + self.skewMs,
    softBufferBytes: 1_000,
  });
  return self;
}

/** A bus of which some messages are lost on their way. */
export function lossy(bus: Bus, isLost: (subject: string, data: string) => boolean): Bus {
  const decoder = new TextDecoder();
  const part: Pick<Bus, 'stored' | 'streamState' | 'onDisconnect' | 'onReconnect' | 'subscribe'> = {
    stored: bus.stored,
    streamState: (name) => bus.streamState(name),
    onDisconnect: (callback) => bus.onDisconnect(callback),
    onReconnect: (callback) => bus.onReconnect(callback),
    subscribe: (subject, handler) =>
      bus.subscribe(subject, (message) => {
        if (!isLost(message.subject, decoder.decode(message.data))) handler(message);
      }),
  };
  return part as Bus;
}

export interface Watcher {
  watching: Watching;
  sent: Sent[];
  begun: boolean[];
  transcripts: { messages: TranscriptMessage[]; position: Position }[];
  cut: number[];
  failed: number;
  /** Bytes the peer has not read. */
  buffered: number;
  /** Resolves when something was sent that fits. */
  until(isIt: (sent: Sent) => boolean): Promise<void>;
}

export interface WatcherOptions
  extends Partial<Pick<WatchOptions, 'since' | 'queued' | 'missedLimit' | 'ready'>> {
  dialect?: Dialect;
  cursors?: boolean;
  connection?: string;
}

export function watch({ hub, topics }: HubRig, key: string, options: WatcherOptions = {}): Watcher {
  const waiting = new Set<() => void>();
  const take = (frame: string) => {
    self.sent.push(JSON.parse(frame));
    for (const look of waiting) look();
  };
  const self: Watcher = {
    watching: undefined as never,
    sent: [],
    begun: [],
    transcripts: [],
    cut: [],
    failed: 0,
    buffered: 0,
    until: (isIt) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = () => {
        if (!self.sent.some(isIt)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      return promise;
    },
  };
  const { dialect = plainDialect(), cursors = true, connection = 'here', ...rest } = options;
  const given: WatchOptions = {
    connection,
    dialect,
    cursors,
    place: { room: null, session: 'hub' },
    socket: {
      join: (topic) => topics.of(topic).add(take),
      together: (act) => act(),
      leave: (topic) => topics.of(topic).delete(take),
      buffered: () => self.buffered,
    },
    // A seat is an object with methods: they must not be called without it.
    send(frames: Frames) {
      if (this !== given) throw new TypeError('send was taken out of its object');
      for (const frame of frames === null ? [] : [frames].flat()) take(frame);
    },
    ready: async () => undefined,
    since: null,
    queued: false,
    missedLimit: 1_000,
    begin: (recovered) => self.begun.push(recovered),
    transcript: (messages, position) => self.transcripts.push({ messages, position }),
    cut: (dropped) => self.cut.push(dropped),
    failed: () => (self.failed += 1),
    ...rest,
  };
  self.watching = hub.watch(key, given);
  return self;
}

export async function watching(rig: HubRig, key: string, options: WatcherOptions = {}): Promise<Watcher> {
  const watcher = watch(rig, key, options);
  await watcher.watching.admitted;
  return watcher;
}

export function positionIn({ cursor }: Sent): Position {
  const position = decodeCursor(cursor ?? '');
  if (position === null) throw new Error('the frame has no cursor');
  return position;
}

export const isSaid =
  (type: PlaceEvent['type'], run?: string) =>
  ({ said }: Sent): boolean =>
    said?.type === type && (run === undefined || ('run' in said && said.run === run));

export const isEndOf =
  (run: string) =>
  (sent: Sent): boolean =>
    sent.run === run && ['run.completed', 'run.failed', 'run.cancelled'].includes(sent.event?.type ?? '');

/** What was sent of an answer, put together. */
export const textIn = (sent: Sent[], run: string) =>
  sent.map((one) => (one.run === run && one.event?.type === 'text.delta' ? one.event.text : '')).join('');

/** People and agents of one conversation. */
export class Talk {
  readonly key: string;
  readonly #bus: Bus;
  #entries = 0;
  readonly #runs = new Map<string, { n: number; text: string; id: string; events: RunEvent[] }>();

  constructor(bus: Bus, key: string) {
    this.#bus = bus;
    this.key = key;
  }

  entry(entry: LogEntry | Record<string, unknown>): Promise<{ seq: number }> {
    this.#entries += 1;
    const id = `${this.key}-${this.#entries}`;
    return this.#bus.append(SUBJECTS.conversationLog(this.key), JSON.stringify(entry), { id });
  }

  post(run: string, text: string, asks = false): Promise<{ seq: number }> {
    const posted: MessagePosted = {
      type: 'message.posted',
      run,
      id: `m-${run}`,
      sub: 'alice',
      name: null,
      text,
      asks,
      at: 1,
    };
    return this.entry(posted);
  }

  edit(run: string, text: string): Promise<{ seq: number }> {
    return this.entry({ type: 'message.edited', run, text, by: 'alice', at: 2 });
  }

  delete(run: string): Promise<{ seq: number }> {
    return this.entry({ type: 'message.deleted', run, by: 'alice', at: 3 });
  }

  read(run: string, by = 'bob'): Promise<{ seq: number }> {
    return this.entry({ type: 'message.read', run, id: `m-${run}`, sub: 'alice', by, name: null, at: 4 });
  }

  /** Posts a question and begins its run. */
  async begin(run: string, text = 'Why?'): Promise<void> {
    await this.post(run, text, true);
    await this.start(run, text);
  }

  /** Begins the run of a question that may not be in the log yet. */
  async start(run: string, text = 'Why?'): Promise<void> {
    this.#runs.set(run, { n: 0, text: '', id: `m-${run}`, events: [] });
    await this.emit(run, {
      type: 'run.started',
      messageId: `m-${run}`,
      sub: 'alice',
      name: null,
      text,
      askedAt: 1,
    });
  }

  async emit(run: string, ...events: RunEvent[]): Promise<void> {
    const known = this.#runs.get(run);
    if (known === undefined) throw new Error('the run has not begun');
    known.n += 1;
    known.events.push(...events.filter(({ type }) => type !== 'text.delta'));
    await this.batch(run, { n: known.n, claim: 1, events });
  }

  async say(run: string, text: string): Promise<void> {
    const known = this.#runs.get(run);
    if (known === undefined) throw new Error('the run has not begun');
    const at = known.text.length;
    known.text += text;
    await this.emit(run, { type: 'text.delta', at, text });
  }

  /** As an agent does that finds EVENTS empty. */
  async sayAgain(run: string): Promise<void> {
    const { text = '', events = [] } = this.#runs.get(run) ?? {};
    await this.emit(run, ...events, { type: 'text.delta', at: 0, text });
  }

  /** Writes the record and returns its sequence. */
  async record(run: string, status: 'completed' | 'cancelled' = 'completed'): Promise<number> {
    const { text = '', id = '' } = this.#runs.get(run) ?? {};
    const asked = { id, sub: 'alice', name: null, at: 1 };
    const record: AssistantMessage =
      status === 'completed'
        ? { role: 'assistant', status, run, text, metadata: METADATA, at: 5, asked }
        : { role: 'assistant', status, run, text, by: 'alice', at: 5, asked };
    const stored = await this.#bus.append(SUBJECTS.runEnd(this.key, run), JSON.stringify(record), {
      expectLast: 0,
    });
    return stored.seq;
  }

  async end(run: string, status: 'completed' | 'cancelled' = 'completed'): Promise<void> {
    const endSeq = await this.record(run, status);
    const known = this.#runs.get(run);
    const text = known?.text ?? '';
    const event: RunEvent =
      status === 'completed'
        ? { type: 'run.completed', text, metadata: METADATA }
        : { type: 'run.cancelled', text, by: 'alice' };
    await this.batch(run, { n: (known?.n ?? 0) + 1, claim: 1, events: [event], endSeq });
  }

  async batch(run: string, batch: RunBatch): Promise<void> {
    await this.#bus.append(SUBJECTS.runEvents(this.key, run), JSON.stringify(batch), {
      id: `${this.key}-${run}-${batch.n}`,
    });
  }
}
