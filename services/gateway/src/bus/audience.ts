/** Connections that watch one conversation over one wire: each event is encoded once for them. */
import type { Dialect, Frames, Place } from '../session/dialect.ts';
import type { Topics } from '../session/topics.ts';
import { Few } from './few.ts';
import type { RunContext } from './run-context.ts';
import type { RunFeed } from './run-feed.ts';
import type { Watch } from './watch.ts';

export class Audience {
  readonly dialect: Dialect;
  readonly cursors: boolean;
  readonly place: Place;
  /** Those that have everything so far. */
  readonly live = new Few<Watch>();
  readonly topic: string;
  /** What the dialect is told of each run; null before there is one. */
  contexts: WeakMap<RunFeed, RunContext> | null = null;
  readonly #topics: Topics;

  constructor(topic: string, dialect: Dialect, cursors: boolean, place: Place, topics: Topics) {
    this.topic = topic;
    this.dialect = dialect;
    this.cursors = cursors;
    this.place = place;
    this.#topics = topics;
  }

  add(watch: Watch): void {
    this.live.add(watch);
    watch.socket.join(this.topic);
  }

  remove(watch: Watch): void {
    if (this.live.delete(watch)) watch.socket.leave(this.topic);
  }

  /** Sends to all, but for `except`. */
  send(frames: Frames, except: Watch | null = null): void {
    if (frames === null || this.live.size === 0) return;
    const excluded = except !== null && this.live.has(except) ? except : null;
    // uWebSockets has no "all but", and leaving costs less than a loop over everybody.
    excluded?.socket.leave(this.topic);
    if (typeof frames === 'string') this.#topics.publish(this.topic, frames);
    else for (const frame of frames) this.#topics.publish(this.topic, frame);
    excluded?.socket.join(this.topic);
  }
}
