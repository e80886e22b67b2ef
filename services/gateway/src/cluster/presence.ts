/**
 * Who of a conversation is connected, over all gateways.
 *
 * Each gateway tells who comes to it and goes from it (`LiveEvent`), and is asked when somebody
 * begins to watch, when one of its changes was missed, and after the broker was away. The users
 * of a gateway that is silent for 6 s are gone.
 */
import { SUBJECTS } from '@natter/proto';
import type { Bus, Logger } from '@natter/runtime';
import { Gate } from '../bus/gate.ts';
import type { Cluster } from './cluster.ts';
import { LocalPresence, type Person, type PresenceEvent } from './local-presence.ts';
import { type PresenceListener, WatchedRoom } from './watched-room.ts';

export type { Person, PresenceEvent } from './local-presence.ts';
export type { PresenceChange, PresenceListener } from './watched-room.ts';

/** Who is in a room now, over all gateways. */
export interface RoomNow {
  users: Person[];
  /** `sub` of those who are typing. */
  typing: string[];
}

interface Watched {
  room: WatchedRoom;
  /** Until all gateways were asked for the first time. */
  ready: Promise<void>;
  asking: boolean;
  /** Something was missed while the gateways were asked. */
  again: boolean;
  askedAtMs: number;
}

/** Conversations watched here; of further ones only the users on this gateway are known. */
const WATCHED_LIMIT = 100_000;
/** Questions under way at once: after a reconnect there is one for each watched conversation. */
const ASK_AT_ONCE = 16;
/** A hole that an answer did not close is asked about again after this long. */
const RETRY_MS = 1_000;
/** Asked about again in any case, so that no mistake lasts. */
const REFRESH_MS = 300_000;

/** What has ended well. */
const DONE = Promise.resolve();

export class Presence {
  readonly #cluster: Cluster;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #local: LocalPresence;
  readonly #watched = new Map<string, Watched>();
  readonly #gate = new Gate(ASK_AT_ONCE);

  constructor(
    cluster: Cluster,
    bus: Pick<Bus, 'publish' | 'connected' | 'onReconnect'>,
    log: Logger,
    now: () => number,
  ) {
    this.#cluster = cluster;
    this.#log = log;
    this.#now = now;
    this.#local = new LocalPresence(cluster.id, bus, now);
    cluster.onGone((gateway) => {
      for (const { room } of this.#watched.values()) room.forget(gateway);
    });
    cluster.onReturned(() => this.#askAll());
    bus.onReconnect(() => {
      this.#local.reconnected();
      this.#askAll();
    });
  }

  /** A connection of a user watches a conversation; call `exit` once for each `enter`. */
  enter(key: string, sub: string, name: string | null): void {
    if (this.#local.enter(key, { sub, name })) this.#watched.get(key)?.room.look(sub, name);
  }

  exit(key: string, sub: string): void {
    const name = this.#local.exit(key, sub);
    if (name !== undefined) this.#watched.get(key)?.room.look(sub, name);
  }

  /**
   * Tells the listener who comes and goes over all gateways. It must not throw.
   *
   * Subscribe to `SUBJECTS.conversationOut(key)` first. When the promise resolves, which takes a
   * second at most, `who` is complete; changes are told from then on.
   */
  watch(key: string, listener: PresenceListener): Promise<void> {
    let watched = this.#watched.get(key);
    if (watched === undefined) {
      if (this.#watched.size >= WATCHED_LIMIT) return Promise.resolve();
      const room = new WatchedRoom(key, this.#local);
      const started: Watched = {
        room,
        ready: DONE,
        asking: false,
        again: false,
        askedAtMs: 0,
      };
      this.#watched.set(key, started);
      started.ready = this.#ask(key, started).then(() => {
        room.tell();
        started.ready = DONE;
      });
      watched = started;
    }
    watched.room.listeners.add(listener);
    return watched.ready;
  }

  unwatch(key: string, listener: PresenceListener): void {
    const watched = this.#watched.get(key);
    watched?.room.listeners.delete(listener);
    if (watched?.room.listeners.size === 0) this.#watched.delete(key);
  }

  /** An event of `SUBJECTS.liveOut(key)`, this gateway's own among them. */
  receive(key: string, event: PresenceEvent): void {
    if (event.gateway === this.#cluster.id || !this.#cluster.heard(event.gateway)) return;
    const watched = this.#watched.get(key);
    if (watched === undefined || watched.room.apply(event)) return;
    // The answers under way may close the gap; if they don't, `tick` sees it.
    if (!watched.asking) void this.#ask(key, watched);
  }

  /** Who is anywhere; of a conversation that nobody watches here, who is on this gateway. */
  who(key: string): Person[] {
    return this.#watched.get(key)?.room.people ?? this.#local.users(key);
  }

  /** Asks all gateways; throws BusError UNAVAILABLE without a connection to the broker. */
  async whoAnywhere(key: string): Promise<RoomNow> {
    const users = new Map(this.who(key).map((person) => [person.sub, person]));
    const typing = new Set<string>();
    for (const { answer } of await this.#cluster.ask({ type: 'room_presence', key })) {
      if (answer.type !== 'room_presence') continue;
      for (const person of answer.users) users.set(person.sub, person);
      for (const sub of answer.typing) typing.add(sub);
    }
    return { users: [...users.values()], typing: [...typing] };
  }

  /** What this gateway answers to the question `room_presence`. */
  snapshot(key: string): { n: number; users: Person[] } {
    return this.#local.snapshot(key);
  }

  /** Call it every second. */
  tick(): void {
    this.#local.tick();
    const now = this.#now();
    for (const [key, watched] of this.#watched) {
      const wait = watched.again || watched.room.torn ? RETRY_MS : REFRESH_MS;
      if (!watched.asking && now - watched.askedAtMs >= wait) void this.#ask(key, watched);
    }
  }

  #askAll(): void {
    for (const [key, watched] of this.#watched) void this.#ask(key, watched);
  }

  /** Asks all gateways who is there, and takes their answers; at most one question at a time. */
  async #ask(key: string, watched: Watched): Promise<void> {
    watched.again = watched.asking;
    if (watched.asking) return;
    watched.asking = true;
    await this.#gate.run(async () => {
      // Nobody may watch it any more when its turn comes.
      if (this.#watched.get(key) === watched) await this.#takeAnswers(key, watched);
    });
    watched.asking = false;
    watched.askedAtMs = this.#now();
  }

  async #takeAnswers(key: string, watched: Watched): Promise<void> {
    try {
      for (const { gateway, answer } of await this.#cluster.ask({ type: 'room_presence', key })) {
        if (gateway === this.#cluster.id || answer.type !== 'room_presence') continue;
        if (!this.#cluster.heard(gateway)) continue;
        if (!watched.room.answered(gateway, answer.n, answer.users)) watched.again = true;
      }
    } catch (err) {
      watched.again = true;
      this.#log.warn({ err, subject: SUBJECTS.liveOut(key) }, 'who is there could not be asked');
    }
  }
}
