/** How somebody comes to read logs, over a socket or over HTTP: key, place, position, reader. */
import { type ErrorCode, LIMITS, type Principal, type VerifyReply } from '@natter/proto';
import { BusError, type Logger } from '@natter/runtime';
import { FilterShares } from '../../bus/logs/filter-shares.ts';
import { filterKey, type LogHub } from '../../bus/logs/log-hub.ts';
import type { KeyHolder, LogKeys } from '../../bus/logs/log-keys.ts';
import type { LogPositions } from '../../bus/logs/log-positions.ts';
import type { LogReader, LogStart } from '../../bus/logs/log-reader.ts';
import { mayReadLogs } from '../../bus/logs/log-scopes.ts';
import type { LogOpening, LogOutlet, LogRefusal } from './log-wire.ts';

export interface LogVisitsDeps {
  auth: { verify(token: string, use: 'api_key'): Promise<VerifyReply> };
  hub: Pick<LogHub, 'here' | 'open' | 'isFull'>;
  keys: Pick<LogKeys, 'changes' | 'add' | 'delete'>;
  positions: Pick<LogPositions, 'read' | 'takes' | 'write'>;
  /** Connections of a user, of any wire. */
  users: { add(sub: string): boolean; remove(sub: string): void };
  log: Logger;
}

/** Somebody who may read, and has not begun. */
export interface Admitted {
  principal: Principal;
  token: string;
  start: LogStart;
  keyChanges: number;
}

export type Admission = { ok: true; admitted: Admitted } | ({ ok: false } & LogRefusal);

const REFUSALS = { invalid: 'INVALID_TOKEN', expired: 'TOKEN_EXPIRED', unavailable: 'UNAVAILABLE' } as const;

export class LogVisits {
  readonly #deps: LogVisitsDeps;
  readonly #shares = new FilterShares();

  constructor(deps: LogVisitsDeps) {
    this.#deps = deps;
  }

  /** Judges the key; what was said since the request came is kept for the reader. Never rejects. */
  async admit(opening: LogOpening): Promise<Admission> {
    const { credential: token, cursor, name, tail, problem } = opening;
    if (token === null) return refused('AUTH_REQUIRED');
    if (token.length > LIMITS.tokenBytes) return refused('INVALID_TOKEN');
    if (problem !== null) return { ok: false, ...problem };
    const { auth, hub, keys, positions, log } = this.#deps;
    const keyChanges = keys.changes;
    try {
      const [verdict, { state, life }] = await Promise.all([auth.verify(token, 'api_key'), hub.here()]);
      if (!verdict.ok) return refused(REFUSALS[verdict.reason]);
      const { principal } = verdict;
      if (!mayReadLogs(principal)) return refused('SCOPE_REQUIRED');
      let after = cursor;
      if (name !== null) {
        const position = await positions.read(principal.sub, name);
        // Its user has all the names it may have.
        if (position === null && !(await positions.takes(principal.sub, name)))
          return { ok: false, code: 'INVALID_FIELD', detail: 'name' };
        // One in an earlier life of LOGS: above every sequence, so that all is unseen.
        if (position !== null) after ??= position.life === life ? position.seq : Number.MAX_SAFE_INTEGER;
      }
      return { ok: true, admitted: { principal, token, start: { state, life, after, tail }, keyChanges } };
    } catch (err) {
      log.warn({ err }, 'nobody could say whether somebody may read logs');
      // Also while LOGS does not exist yet.
      return refused(err instanceof BusError ? 'UNAVAILABLE' : 'INTERNAL');
    }
  }

  /** Whether `begin` would let this one in now, as far as readers and filters go. */
  hasRoom({ principal }: Admitted, { filter }: LogOpening): boolean {
    return !this.#deps.hub.isFull && this.#shares.hasRoom(principal.sub, filterKey(filter));
  }

  /** Begins to read; null where there are too many readers or filters, of this user or in all. */
  begin(admitted: Admitted, opening: LogOpening, outlet: LogOutlet): LogVisit | null {
    const { hub, users } = this.#deps;
    const { sub } = admitted.principal;
    if (!users.add(sub)) return null;
    const endShare = this.#shares.take(sub, filterKey(opening.filter));
    const release = () => {
      endShare?.();
      users.remove(sub);
    };
    const reader = endShare === null ? null : hub.open(opening.filter, outlet);
    if (reader === null) {
      release();
      return null;
    }
    return new LogVisit({ ...this.#deps, release }, admitted, opening.name, reader);
  }
}

interface LogVisitDeps extends Pick<LogVisitsDeps, 'keys' | 'positions'> {
  /** Gives back what the reader counted for. */
  release(): void;
}

export class LogVisit implements KeyHolder {
  readonly token: string;
  principal: Principal;
  readonly #reader: LogReader;
  readonly #deps: LogVisitDeps;
  readonly #name: string | null;
  #ended = false;

  constructor(deps: LogVisitDeps, admitted: Admitted, name: string | null, reader: LogReader) {
    this.#deps = deps;
    this.#name = name;
    this.#reader = reader;
    this.token = admitted.token;
    this.principal = admitted.principal;
    deps.keys.add(this, admitted.keyChanges);
    void reader.start(admitted.start);
  }

  /** Keeps the position of a named reader; false: it has no name, or was not sent this yet. */
  acknowledge(seq: number): boolean {
    if (this.#name === null || seq > this.#reader.sentThrough) return false;
    const { life } = this.#reader;
    return this.#deps.positions.write(this.principal.sub, this.#name, { seq, life });
  }

  drained(): void {
    this.#reader.drained();
  }

  tick(nowMs: number): void {
    this.#reader.tick(nowMs);
  }

  end(reason: 'keyRevoked' | 'unavailable'): void {
    this.#reader.end(reason);
  }

  /** The client has gone. */
  stop(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#reader.stop();
    this.#deps.keys.delete(this);
    this.#deps.release();
  }
}

function refused(code: ErrorCode): Admission {
  return { ok: false, code };
}
