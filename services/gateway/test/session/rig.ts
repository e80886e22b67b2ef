/** A session on a socket; auth, hub, stores and rooms do as the test says. */
import type {
  LogEntry,
  Principal,
  Room,
  RoomsReply,
  RoomsRequest,
  RunEvent,
  Turn,
  UploadsReply,
  UploadsRequest,
  UserEvent,
  VerifyReply,
} from '@natter/proto';
import { createLogger, Metrics } from '@natter/runtime';
import { type FrozenClock, frozenClock } from '@natter/testkit';
import type { Follower } from '../../src/bus/conversation-hub.ts';
import type { Position } from '../../src/bus/cursor.ts';
import { RunView } from '../../src/bus/run-view.ts';
import type { Said } from '../../src/bus/said-messages.ts';
import type { PartOf } from '../../src/bus/upload-parts.ts';
import type { WatchOptions } from '../../src/bus/watch.ts';
import { registerGatewayMetrics } from '../../src/metrics.ts';
import type { SessionContext, SessionLimits } from '../../src/session/context.ts';
import { Counted } from '../../src/session/counted.ts';
import type { Manner, Opening } from '../../src/session/dialect.ts';
import { RoomsHere } from '../../src/session/rooms-here.ts';
import { Session } from '../../src/session/session.ts';
import { UserRates } from '../../src/session/user-rates.ts';
import { plainDialect } from '../plain-dialect.ts';

export { METADATA, runOf } from '../bus/hub-rig.ts';

const LIMITS: SessionLimits = {
  rateLimitRequests: 1_000,
  rateLimitWindowSeconds: 60,
  maxTurnsPerConnection: 3,
  authDeadlineMs: 30_000,
  softBufferBytes: 1_000,
  hardBufferBytes: 10_000,
  heartbeatSeconds: 30,
  anonymousSessions: false,
  maxFrameBytes: 65_536,
  maxChunkBytes: 1_048_576,
  uploadFramesPerWindow: 2_000,
};

const OPENING: Opening = {
  credential: null,
  session: null,
  room: null,
  watch: false,
  options: {},
  cursors: false,
  resume: [],
  onBusy: 'queue',
  problem: null,
};

interface Followed {
  conversation: string;
  run: string;
  follower: Follower;
  view: RunView;
  stopped: boolean;
  repaired: number;
}

interface Watched {
  key: string;
  options: WatchOptions;
  position: Position | null;
  stopped: boolean;
  drained: number;
}

/** What a frame of the plain wire says, whatever it is. */
// biome-ignore lint/suspicious/noExplicitAny: the frames of a test
type Frame = any;

/** What is asked about uploads, and each part that is stored. */
export type UploadsAsked = UploadsRequest | ({ op: 'chunk' } & PartOf);

export interface RigOptions {
  limits?: Partial<SessionLimits>;
  users?: Counted;
  manner?: Partial<Manner>;
  opening?: Partial<Opening>;
}

export interface Rig {
  session: Session;
  context: SessionContext;
  clock: FrozenClock;
  sent: Frame[];
  closed: { code: number; reason: string } | null;
  /** Bytes the peer has not read. */
  buffered: number;
  verdicts: Record<string, VerifyReply | 'down'>;
  verified: [token: string, use: string | undefined][];
  /** Keys of the rooms that were asked for with tokens. */
  askedWithToken: string[];

  stored: Turn[];
  storeResult: (turn: Turn) => Promise<{ duplicate: boolean }>;
  /** Answers to a question that must be the only one. */
  idleResult: () => Promise<{ duplicate: boolean } | false>;
  /** Unanswered questions, of anybody. */
  waiting: Turn[];
  appended: { key: string; entry: LogEntry }[];
  appendResult: () => Promise<{ seq: number; duplicate: boolean }>;
  /** Runs that have ended, by id. */
  ended: Map<string, { seq: number; message: Frame }>;
  pages: { messages: Frame[] };
  /** Times that the log was looked through for a message. */
  looks: number;
  /** Messages that the feed has heard of. */
  said: Said[];

  followed: Followed[];
  watched: Watched[];
  /** Resolves when a watcher is up to date. */
  admission: (key: string) => Promise<void>;
  muted: Set<string>;

  asked: RoomsRequest[];
  rooms: (request: RoomsRequest) => Promise<RoomsReply>;
  roomsHere: RoomsHere;
  present: string[];
  positions: Map<string, Position>;
  told: UserEvent[];
  listeners: Map<string, (event: UserEvent) => void>;
  retryAfter: Record<'user' | 'session', number>;
  live: { key: string; event: Frame }[];
  typing: string[];
  /** What the uploads service was asked, and the parts that came with it. */
  uploadsAsked: { request: UploadsAsked; part: string }[];
  uploads: (request: UploadsAsked) => Promise<UploadsReply>;
  progress: { key: string; event: Frame }[];

  say(command: unknown): void;
  ask(text: string, extra?: object): void;
  emit(index: number, event: RunEvent): void;
  /** Those that still watch. */
  watching(): string[];
}

export function principal(sub: string, expiresAt: number, roles: string[] = []): VerifyReply & { ok: true } {
  const who: Principal = { sub, email: null, name: null, roles, scopes: [], expiresAt };
  return { ok: true, principal: who };
}

export function roomCalled(id: string, rest: Partial<Room> = {}): Room {
  return {
    key: `=${id}=life`,
    id,
    name: id,
    type: 'shared',
    ai: 'always',
    owner: 'bob',
    createdAt: 1,
    ...rest,
  };
}

/** Lets whoever asks into every room, and keep it. */
export function openRooms(rest: Partial<Room> = {}, role: 'owner' | 'member' = 'member') {
  return async (request: RoomsRequest): Promise<RoomsReply> => {
    if (request.op === 'mine') return { ok: true, rooms: [] };
    if (request.op !== 'access') return { ok: true, rooms: [{ room: roomCalled(request.id, rest), role }] };
    const rooms = request.keys.map((key) => ({
      room: roomCalled(key.split('=')[1] ?? '', { ...rest, key }),
      role,
    }));
    return { ok: true, rooms };
  };
}

export function rig({
  limits = {},
  users = new Counted(100),
  manner = {},
  opening = {},
}: RigOptions = {}): Rig {
  const clock = frozenClock();
  const now = () => clock.now();
  let claims = 0;
  const log = createLogger('gateway', 'silent');
  const self: Rig = {
    session: undefined as never,
    context: undefined as never,
    roomsHere: undefined as never,
    clock,
    sent: [],
    closed: null,
    buffered: 0,
    verdicts: { alice: principal('alice', Math.floor(now() / 1_000) + 3_600) },
    verified: [],
    askedWithToken: [],
    stored: [],
    storeResult: async () => ({ duplicate: false }),
    idleResult: async () => ({ duplicate: false }),
    waiting: [],
    appended: [],
    appendResult: async () => ({ seq: 1, duplicate: false }),
    ended: new Map(),
    pages: { messages: [] },
    looks: 0,
    said: [],
    followed: [],
    watched: [],
    admission: async () => undefined,
    muted: new Set(),
    asked: [],
    rooms: openRooms(),
    present: [],
    positions: new Map(),
    told: [],
    listeners: new Map(),
    retryAfter: { user: 0, session: 0 },
    live: [],
    typing: [],
    uploadsAsked: [],
    uploads: async () => ({ ok: false, code: 'UPLOAD_NOT_FOUND' }),
    progress: [],
    say: (command) =>
      self.session.receive(new TextEncoder().encode(JSON.stringify({ ok: true, command })), false),
    ask: (text, extra) =>
      self.say({ type: 'ask', text, session: null, customerId: null, messageId: null, ...extra }),
    emit: (index, event) => {
      const one = self.followed[index];
      if (one === undefined || one.stopped) return;
      claims += 1;
      one.view.apply({ n: 1, claim: claims, events: [event] }, (fresh) => {
        const { text, textJson, asked } = one.view;
        const run = { ...one.follower.place, run: one.run, text, textJson, asked, cursor: null, atMs: now() };
        one.follower.deliver(fresh, one.follower.dialect.encodeEvent(fresh, run), run);
      });
    },
    watching: () => self.watched.flatMap(({ key, stopped }) => (stopped ? [] : [key])),
  };
  const rooms = {
    ask: async (request: RoomsRequest) => {
      self.asked.push(request);
      return self.rooms(request);
    },
  };
  self.roomsHere = new RoomsHere({
    presence: { watch: async () => undefined, unwatch: () => undefined, receive: () => undefined },
    rooms,
    announce: () => undefined,
    log,
  });
  self.context = {
    auth: {
      verify: async (token, use, rooms = []) => {
        self.verified.push([token, use]);
        self.askedWithToken.push(...rooms);
        const verdict = self.verdicts[token] ?? { ok: false, reason: 'invalid' };
        if (verdict === 'down') throw new Error('no auth service');
        return verdict;
      },
    },
    hub: fakeHub(self) as unknown as SessionContext['hub'],
    turns: {
      store: async (turn) => {
        self.stored.push(turn);
        return self.storeResult(turn);
      },
      storeIfIdle: async (turn) => {
        self.stored.push(turn);
        return self.idleResult();
      },
      waiting: async () => self.waiting,
    },
    messages: {
      append: async (key, entry) => {
        self.appended.push({ key, entry });
        return self.appendResult();
      },
    },
    rooms,
    roomsHere: self.roomsHere,
    presence: {
      enter: (key, sub) => void self.present.push(`${key} ${sub}`),
      exit: (key, sub) => void self.present.splice(self.present.indexOf(`${key} ${sub}`), 1),
      who: () => [],
    },
    positions: {
      read: async (_, key) => self.positions.get(key) ?? null,
      readAll: async () => new Map(self.positions),
      write: async (_, key, position) => void self.positions.set(key, position),
    },
    users: {
      tell: (_, event) => void self.told.push(event),
      listen: (sub, listener) => void self.listeners.set(sub, (event) => listener.hear(event)),
      unlisten: (sub) => void self.listeners.delete(sub),
    },
    questions: new UserRates(1_000, 60, now),
    arrivals: new UserRates(100, 60, now),
    rates: { take: async (kind) => self.retryAfter[kind] },
    setTyping: (key, sub, isTyping) => void self.typing.push(`${key} ${sub} ${isTyping}`),
    typing: { say: (key, event) => void self.live.push({ key, event }) },
    uploads: {
      ask: async (request) => {
        self.uploadsAsked.push({ request, part: '' });
        return { ...(await self.uploads(request)), bytes: new Uint8Array() };
      },
      put: async (of, part) => {
        const request = { op: 'chunk', ...of } as const;
        self.uploadsAsked.push({ request, part: Buffer.from(part).toString() });
        return { ...(await self.uploads(request)), bytes: new Uint8Array() };
      },
    },
    progress: {
      say: (key, event) => void self.progress.push({ key, event }),
      sayIf: async (key, event, may) => {
        if (await may().catch(() => false)) self.progress.push({ key, event });
      },
    },
    metrics: registerGatewayMetrics(new Metrics('gateway'), {
      connections: () => 0,
      runs: () => 0,
      setAside: () => 0,
      logReaders: () => 0,
      logFeeds: () => 0,
    }),
    limits: { ...LIMITS, ...limits },
    log,
    now,
    admitUser: (sub) => users.add(sub),
    releaseUser: (sub) => users.remove(sub),
  };
  const socket = {
    send: (frame: string) => {
      self.sent.push(JSON.parse(frame));
      return true;
    },
    buffered: () => self.buffered,
    join: () => undefined,
    together: (act: () => void) => act(),
    leave: () => undefined,
    close: (code: number, reason: string) => {
      self.closed = { code, reason };
    },
  };
  self.session = new Session(self.context, plainDialect(manner), socket, { ...OPENING, ...opening });
  return self;
}

function fakeHub(self: Rig) {
  return {
    follow: (conversation: string, run: string, follower: Follower) => {
      const one: Followed = { conversation, run, follower, view: new RunView(), stopped: false, repaired: 0 };
      self.followed.push(one);
      return { stop: () => (one.stopped = true), repair: () => (one.repaired += 1) };
    },
    watch: (key: string, options: WatchOptions) => {
      const one: Watched = { key, options, position: null, stopped: false, drained: 0 };
      self.watched.push(one);
      const admit = async () => {
        await options.ready();
        if (one.stopped) return;
        await self.admission(key);
        if (one.stopped) return;
        one.position = { log: 7, end: 7, run: '', at: 0, marks: 0 };
        options.begin(true);
      };
      return {
        watch: one,
        admitted: admit(),
        position: () => one.position,
        drained: () => (one.drained += 1),
        stop: () => (one.stopped = true),
      };
    },
    find: (key: string) =>
      self.watching().includes(key)
        ? {
            mute: (run: string) => self.muted.add(run),
            unmute: (run: string) => self.muted.delete(run),
            said: {
              find: () => null,
              get: (run: string) => self.said.find((one) => one.run === run) ?? null,
            },
            openRuns: [],
          }
        : null,
    reader: {
      runEnd: async (_: string, run: string) => self.ended.get(run) ?? null,
      lastSeq: async () => 9,
    },
    pages: {
      page: async () => ({ ...self.pages, next: null }),
      recent: async () => {
        self.looks += 1;
        return self.pages.messages;
      },
    },
  };
}

export async function signedIn(options: RigOptions = {}): Promise<Rig> {
  const one = rig({
    ...options,
    opening: { credential: { token: 'alice', use: 'access' }, ...options.opening },
  });
  one.session.open();
  await settle();
  return one;
}

export const errors = ({ sent }: Rig) => sent.flatMap((frame) => ('error' in frame ? [frame.error] : []));

/** Types of the notices, but for `connected`. */
export const notices = ({ sent }: Rig): Frame[] =>
  sent.flatMap(({ notice }) => (notice === undefined || notice.type === 'connected' ? [] : [notice]));

export const confirmed = (one: Rig) =>
  notices(one).flatMap(({ type, status, messageId }) =>
    type === 'confirmed' ? [`${status} ${messageId}`] : [],
  );

/** Lets everything run on that waits for nothing from outside. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
