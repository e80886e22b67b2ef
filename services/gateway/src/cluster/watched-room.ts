/** Who of one conversation is anywhere: what this gateway knows of all the others, and itself. */
import { LIMITS } from '@natter/proto';
import { Few } from '../bus/few.ts';
import type { Person, PresenceEvent } from './local-presence.ts';
import { People } from './people.ts';

export type PresenceChange = { type: 'came' | 'went' } & Person;
export type PresenceListener = (change: PresenceChange, conversation: string) => void;

/** Who is on this gateway; no closures of a room, which would cost memory. */
interface Local {
  users(key: string): Person[];
  has(key: string, sub: string): boolean;
}

/** What is known of one other gateway. */
interface View {
  n: number;
  users: People<Person>;
  /** Events behind a gap, until the gateway was asked; null while there is none. */
  held: PresenceEvent[] | null;
}

/** Events held of one gateway; further ones are a gap of their own. */
const HELD_LIMIT = 64;

/** Where nobody of another gateway is; never written to. */
const NO_VIEWS: Map<string, View> = new Map();

export class WatchedRoom {
  readonly key: string;
  readonly listeners = new Few<PresenceListener>();
  readonly #local: Local;
  /** By gateway. */
  #views = NO_VIEWS;
  /** Everybody who is anywhere. */
  readonly #shown = new People<Person>();
  /** Changes are told once all gateways were asked for the first time. */
  #telling = false;

  constructor(key: string, local: Local) {
    this.key = key;
    this.#local = local;
    for (const person of local.users(key)) this.#shown.set(person);
  }

  get people(): Person[] {
    return [...this.#shown];
  }

  /** Whether something is missing that only an answer can tell. */
  get torn(): boolean {
    for (const { held } of this.#views.values()) if (held !== null) return true;
    return false;
  }

  /** From now on changes are told; before, nobody knows who was there all the time. */
  tell(): void {
    this.#telling = true;
  }

  /** Looks again whether a user is anywhere, when they came or went here. */
  look(sub: string, name: string | null): void {
    const is = this.#local.has(this.key, sub) || this.#isElsewhere(sub);
    if (is === this.#shown.has(sub)) return;
    if (is) this.#shown.set({ sub, name });
    else this.#shown.delete(sub);
    if (!this.#telling) return;
    for (const listener of this.listeners) listener({ type: is ? 'came' : 'went', sub, name }, this.key);
  }

  /** False when events of the gateway are missing: it must be asked. */
  apply(event: PresenceEvent): boolean {
    const view = this.#views.get(event.gateway);
    if (event.first === true && (view === undefined || event.n > view.n)) {
      // Whatever was known of it before, nobody was there any more.
      this.#replace(event.gateway, event.n, event.came, null);
      return true;
    }
    if (view === undefined) {
      this.#see(event.gateway, { n: 0, users: new People(), held: [event] });
      return false;
    }
    if (view.held !== null) {
      if (view.held.length < HELD_LIMIT) view.held.push(event);
      return true;
    }
    if (event.n <= view.n) return true;
    if (event.n > view.n + 1) {
      view.held = [event];
      return false;
    }
    this.#change(view, event);
    return true;
  }

  /** Takes a gateway's answer; false when there is a gap behind it, and it must be asked again. */
  answered(gateway: string, n: number, users: readonly Person[]): boolean {
    const view = this.#views.get(gateway);
    if (view !== undefined && view.held === null && view.n >= n) return true;
    this.#replace(gateway, n, users, null);
    return (view?.held ?? []).every((event) => this.apply(event));
  }

  /** The gateway is gone, and everybody who was only there. */
  forget(gateway: string): void {
    const view = this.#views.get(gateway);
    if (view === undefined) return;
    this.#views.delete(gateway);
    for (const { sub, name } of view.users) this.look(sub, name);
  }

  #replace(gateway: string, n: number, users: readonly Person[], held: View['held']): void {
    const before = this.#views.get(gateway)?.users ?? [];
    const view: View = { n, users: new People(), held };
    for (const { sub, name } of users.slice(0, LIMITS.membersPerRoom)) view.users.set({ sub, name });
    this.#see(gateway, view);
    for (const { sub, name } of before) if (!view.users.has(sub)) this.look(sub, name);
    for (const { sub, name } of view.users) this.look(sub, name);
  }

  #see(gateway: string, view: View): void {
    if (this.#views === NO_VIEWS) this.#views = new Map();
    this.#views.set(gateway, view);
  }

  #change(view: View, { n, came, went }: PresenceEvent): void {
    view.n = n;
    for (const { sub, name } of came) {
      if (view.users.size >= LIMITS.membersPerRoom) break;
      view.users.set({ sub, name });
      this.look(sub, name);
    }
    for (const sub of went) {
      const person = view.users.get(sub);
      if (person === undefined) continue;
      view.users.delete(sub);
      this.look(sub, person.name);
    }
  }

  #isElsewhere(sub: string): boolean {
    for (const { users } of this.#views.values()) if (users.has(sub)) return true;
    return false;
  }
}
