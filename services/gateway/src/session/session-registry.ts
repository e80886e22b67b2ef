/** The connections of this gateway: by id, by user, and who is typing. */
import type { ConnectionHere, ConnectionsHere, StatsHere } from '../cluster/connections-here.ts';
import type { RoomsHere } from './rooms-here.ts';
import type { Session } from './session.ts';

/** Somebody who has not said that they stopped is taken to have, after this long. */
const TYPING_MS = 10_000;
/** People who type at once; of further ones nobody is told who asks over HTTP. */
const TYPING_LIMIT = 10_000;

export class SessionRegistry implements ConnectionsHere {
  readonly #sessions = new Map<string, Session>();
  /** When each was last seen typing, by conversation and `sub`. */
  readonly #typing = new Map<string, { key: string; sub: string; atMs: number }>();
  readonly #roomsHere: Pick<RoomsHere, 'keys'>;
  readonly #now: () => number;

  constructor(roomsHere: Pick<RoomsHere, 'keys'>, now: () => number) {
    this.#roomsHere = roomsHere;
    this.#now = now;
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session);
  }

  delete(session: Session): void {
    this.#sessions.delete(session.id);
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values();
  }

  setTyping(key: string, sub: string, isTyping: boolean): void {
    const name = `${key}|${sub}`;
    if (!isTyping) this.#typing.delete(name);
    else if (this.#typing.size < TYPING_LIMIT) this.#typing.set(name, { key, sub, atMs: this.#now() });
  }

  /** Forgets who is long since typing: while nobody asks, they would take the place of others. */
  cleanUp(): void {
    this.#forgetTyping();
  }

  typing(key: string): string[] {
    this.#forgetTyping();
    return [...this.#typing.values()].flatMap((one) => (one.key === key ? [one.sub] : []));
  }

  stats(): StatsHere {
    this.#forgetTyping();
    const users = new Set<string>();
    let queuedMessages = 0;
    for (const { principal, backlog } of this.#sessions.values()) {
      if (principal !== null) users.add(principal.sub);
      queuedMessages += backlog;
    }
    return {
      connections: this.#sessions.size,
      users,
      rooms: this.#roomsHere.keys(),
      queuedMessages,
      typing: this.#typing.size,
    };
  }

  connection(id: string): ConnectionHere | null {
    const session = this.#sessions.get(id);
    return session === undefined ? null : recordOf(session);
  }

  ofUser(sub: string): ConnectionHere[] {
    return [...this.#sessions.values()].flatMap((session) =>
      session.principal?.sub === sub ? (recordOf(session) ?? []) : [],
    );
  }

  #forgetTyping(): void {
    const before = this.#now() - TYPING_MS;
    for (const [name, { atMs }] of this.#typing) if (atMs < before) this.#typing.delete(name);
  }
}

/** Null for a connection of nobody yet. */
function recordOf({ id, principal, dialect, rooms, openedAtMs }: Session): ConnectionHere | null {
  if (principal === null) return null;
  return {
    connection_id: id,
    user_id: principal.sub,
    dialect: dialect.name,
    rooms,
    connected_at: new Date(openedAtMs).toISOString(),
  };
}
