/** Who of one conversation is anywhere: what this gateway knows of all the others, and itself. */
import { LIMITS } from '@natter/proto';
import type { Person, PresenceEvent } from './local-presence.ts';

export type PresenceChange = { type: 'came' | 'went' } & Person;
export type PresenceListener = (change: PresenceChange) => void;

/** What is known of one other gateway. */
interface View {
  n: number;
  users: Map<string, string | null>;
  /** Events behind a gap, until the gateway was asked; null while there is none. */
  held: PresenceEvent[] | null;
}

/** Events held of one gateway; further ones are a gap of their own. */
const HELD_LIMIT = 64;

export class WatchedRoom {
  readonly listeners = new Set<PresenceListener>();
  readonly #isHere: (sub: string) => boolean;
  readonly #views = new Map<string, View>();
  /** Everybody who is anywhere. */
  readonly #shown = new Map<string, string | null>();
  /** Changes are told once all gateways were asked for the first time. */
  #telling = false;

  constructor(here: readonly Person[], isHere: (sub: string) => boolean) {
    this.#isHere = isHere;
    for (const { sub, name } of here) this.#shown.set(sub, name);
  }

  get people(): Person[] {
    return [...this.#shown].map(([sub, name]) => ({ sub, name }));
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
    const is = this.#isHere(sub) || this.#isElsewhere(sub);
    if (is === this.#shown.has(sub)) return;
    if (is) this.#shown.set(sub, name);
    else this.#shown.delete(sub);
    if (!this.#telling) return;
    for (const listener of this.listeners) listener({ type: is ? 'came' : 'went', sub, name });
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
      this.#views.set(event.gateway, { n: 0, users: new Map(), held: [event] });
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
    for (const [sub, name] of view.users) this.look(sub, name);
  }

  #replace(gateway: string, n: number, users: readonly Person[], held: View['held']): void {
    const before = this.#views.get(gateway)?.users ?? new Map<string, string | null>();
    const view: View = { n, users: new Map(), held };
    for (const { sub, name } of users.slice(0, LIMITS.membersPerRoom)) view.users.set(sub, name);
    this.#views.set(gateway, view);
    for (const [sub, name] of before) if (!view.users.has(sub)) this.look(sub, name);
    for (const [sub, name] of view.users) this.look(sub, name);
  }

  #change(view: View, { n, came, went }: PresenceEvent): void {
    view.n = n;
    for (const { sub, name } of came) {
      if (view.users.size >= LIMITS.membersPerRoom) break;
      view.users.set(sub, name);
      this.look(sub, name);
    }
    for (const sub of went) {
      const name = view.users.get(sub);
      if (name === undefined) continue;
      view.users.delete(sub);
      this.look(sub, name);
    }
  }

  #isElsewhere(sub: string): boolean {
    for (const { users } of this.#views.values()) if (users.has(sub)) return true;
    return false;
  }
}
