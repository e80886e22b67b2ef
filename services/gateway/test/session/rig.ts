/** A session on a socket, an auth service, a hub and a store that do as the test says. */
import type { Principal, RunEvent, Turn, VerifyReply } from '@natter/proto';
import { createLogger, Metrics } from '@natter/runtime';
import { type FrozenClock, frozenClock } from '@natter/testkit';
import type { Follower } from '../../src/bus/run-hub.ts';
import { RunView } from '../../src/bus/run-view.ts';
import { registerGatewayMetrics } from '../../src/metrics.ts';
import { Counted } from '../../src/session/counted.ts';
import type { Dialect } from '../../src/session/dialect.ts';
import { Session, type SessionLimits } from '../../src/session/session.ts';
import { UserRates } from '../../src/session/user-rates.ts';

/** Frames are JSON of what they mean. */
export const PLAIN: Dialect = {
  name: 'plain',
  path: '/plain',
  closes: {},
  credentials: () => null,
  decode: (bytes) => JSON.parse(new TextDecoder().decode(bytes)),
  encodeAuthenticated: ({ sub }) => JSON.stringify({ authenticated: sub }),
  encodeRefused: (code) => JSON.stringify({ refused: code }),
  encodeError: (code, { retryAfter }) => JSON.stringify({ error: code, retryAfter }),
  encodeEvent: (event, run) => JSON.stringify({ session: run.session, event }),
};

export const METADATA = { agent: 'specs', confidence: 1, sources: [], model: 'm', usage: null };

const LIMITS: SessionLimits = {
  rateLimitRequests: 1_000,
  rateLimitWindowSeconds: 60,
  maxTurnsPerConnection: 3,
  authDeadlineMs: 30_000,
  softBufferBytes: 1_000,
  hardBufferBytes: 10_000,
};

interface Followed {
  conversation: string;
  run: string;
  follower: Follower;
  view: RunView;
  stopped: boolean;
  repaired: number;
}

export interface Rig {
  session: Session;
  clock: FrozenClock;
  sent: Record<string, unknown>[];
  closed: { code: number; reason: string } | null;
  /** Bytes the peer has not read. */
  buffered: number;
  stored: Turn[];
  followed: Followed[];
  verdicts: Record<string, VerifyReply | 'down'>;
  storeResult: () => Promise<{ duplicate: boolean }>;
  say(command: unknown): void;
  ask(text: string, extra?: object): void;
  emit(index: number, event: RunEvent): void;
}

export function principal(sub: string, expiresAt: number): VerifyReply {
  const who: Principal = { sub, email: null, name: null, roles: [], scopes: [], expiresAt };
  return { ok: true, principal: who };
}

export function rig(limits: Partial<SessionLimits> = {}, users = new Counted(100)): Rig {
  const clock = frozenClock();
  const now = () => clock.now();
  const self: Rig = {
    session: undefined as never,
    clock,
    sent: [],
    closed: null,
    buffered: 0,
    stored: [],
    followed: [],
    verdicts: { alice: principal('alice', Math.floor(now() / 1_000) + 3_600) },
    storeResult: async () => ({ duplicate: false }),
    say: (command) =>
      self.session.receive(new TextEncoder().encode(JSON.stringify({ ok: true, command })), false),
    ask: (text, extra) =>
      self.say({ type: 'ask', text, session: null, customerId: null, messageId: null, ...extra }),
    emit: (index, event) => {
      const one = self.followed[index];
      if (one === undefined || one.stopped) return;
      one.view.apply({ n: 1, claim: counter++, events: [event] }, (fresh) => {
        const run = { session: one.follower.session, text: one.view.text, textJson: one.view.textJson };
        one.follower.deliver(fresh, one.follower.dialect.encodeEvent(fresh, run), run);
      });
    },
  };
  let counter = 1;
  const verify = async (token: string): Promise<VerifyReply> => {
    const verdict = self.verdicts[token] ?? { ok: false, reason: 'invalid' };
    if (verdict === 'down') throw new Error('no auth service');
    return verdict;
  };
  const follow = (conversation: string, run: string, follower: Follower) => {
    const one: Followed = { conversation, run, follower, view: new RunView(), stopped: false, repaired: 0 };
    self.followed.push(one);
    return { stop: () => (one.stopped = true), repair: () => (one.repaired += 1) };
  };
  const store = async (turn: Turn) => {
    self.stored.push(turn);
    return self.storeResult();
  };
  self.session = new Session(
    {
      auth: { verify },
      hub: { follow: follow as never },
      turns: { store },
      questions: new UserRates(1_000, 60, now),
      metrics: registerGatewayMetrics(new Metrics('gateway'), { connections: () => 0, runs: () => 0 }),
      limits: { ...LIMITS, ...limits },
      log: createLogger('gateway', 'silent'),
      now,
      admitUser: (sub) => users.add(sub),
      releaseUser: (sub) => users.remove(sub),
    },
    PLAIN,
    {
      send: (frame) => {
        self.sent.push(JSON.parse(frame));
        return true;
      },
      buffered: () => self.buffered,
      close: (code, reason) => {
        self.closed = { code, reason };
      },
    },
  );
  return self;
}

/** Lets promises that are already settled run on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}
