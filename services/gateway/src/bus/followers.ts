/** Those who want the events of single runs, each encoded once for all of the same wire. */
import type { RunEvent } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import type { Dialect, Frames, Place, RunText } from '../session/dialect.ts';
import type { RunFeed } from './run-feed.ts';

/** Somebody who wants the events of one run. */
export interface Follower {
  readonly dialect: Dialect;
  readonly place: Place;
  /** `frames` is null where the dialect has none for the event; `run` stays live. Must not throw. */
  deliver(event: RunEvent, frames: Frames, run: RunText): void;
}

/** Makes what dialects are told of a run. */
interface Contexts {
  contextOf(feed: RunFeed, place: Place, cursors: boolean): RunText;
}

/** Of the many conversations in which nobody follows; never written to. */
const NOBODY: Map<string, Set<Follower>> = new Map();

export class Followers {
  readonly #log: Logger;
  readonly #contexts: Contexts;
  /** By run; as many as the connections of this gateway may wait for. */
  #followers = NOBODY;

  constructor(log: Logger, contexts: Contexts) {
    this.#log = log;
    this.#contexts = contexts;
  }

  get size(): number {
    return this.#followers.size;
  }

  has(run: string): boolean {
    return this.#followers.has(run);
  }

  /** Delivers what is known of the run, then every event until `remove`. */
  add(feed: RunFeed, follower: Follower): void {
    const context = this.#contexts.contextOf(feed, follower.place, false);
    feed.view.replay((event) =>
      follower.deliver(event, follower.dialect.encodeEvent(event, context), context),
    );
    const followers = this.#followers.get(feed.run) ?? new Set();
    if (this.#followers === NOBODY) this.#followers = new Map();
    this.#followers.set(feed.run, followers.add(follower));
  }

  /** True when nobody follows the run any more. */
  remove(run: string, follower: Follower): boolean {
    const followers = this.#followers.get(run);
    followers?.delete(follower);
    if (followers?.size !== 0) return false;
    this.#followers.delete(run);
    if (this.#followers.size === 0) this.#followers = NOBODY;
    return true;
  }

  deliver(feed: RunFeed, event: RunEvent): void {
    let dialect: Dialect | null = null;
    let context: RunText | null = null;
    let frames: Frames = null;
    for (const follower of this.#followers.get(feed.run) ?? []) {
      try {
        if (context === null || follower.dialect !== dialect) {
          dialect = follower.dialect;
          context = this.#contexts.contextOf(feed, follower.place, false);
          frames = dialect.encodeEvent(event, context);
        }
        follower.deliver(event, frames, context);
      } catch (err) {
        // The others must have it all the same.
        this.#log.error({ err, run: feed.run, event: event.type }, 'an event could not be delivered');
      }
    }
  }
}
