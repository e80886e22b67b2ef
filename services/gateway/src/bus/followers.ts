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

export class Followers {
  readonly #log: Logger;
  readonly #contextOf: (feed: RunFeed, place: Place) => RunText;
  /** By run; as many as the connections of this gateway may wait for. */
  readonly #followers = new Map<string, Set<Follower>>();

  constructor(log: Logger, contextOf: (feed: RunFeed, place: Place) => RunText) {
    this.#log = log;
    this.#contextOf = contextOf;
  }

  get size(): number {
    return this.#followers.size;
  }

  has(run: string): boolean {
    return this.#followers.has(run);
  }

  /** Delivers what is known of the run, then every event until `remove`. */
  add(feed: RunFeed, follower: Follower): void {
    const context = this.#contextOf(feed, follower.place);
    feed.view.replay((event) =>
      follower.deliver(event, follower.dialect.encodeEvent(event, context), context),
    );
    const followers = this.#followers.get(feed.run) ?? new Set();
    this.#followers.set(feed.run, followers.add(follower));
  }

  /** True when nobody follows the run any more. */
  remove(run: string, follower: Follower): boolean {
    const followers = this.#followers.get(run);
    followers?.delete(follower);
    return followers?.size === 0 && this.#followers.delete(run);
  }

  deliver(feed: RunFeed, event: RunEvent): void {
    let dialect: Dialect | null = null;
    let context: RunText | null = null;
    let frames: Frames = null;
    for (const follower of this.#followers.get(feed.run) ?? []) {
      try {
        if (context === null || follower.dialect !== dialect) {
          dialect = follower.dialect;
          context = this.#contextOf(feed, follower.place);
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
