/** All who watch one conversation, by wire: each event is encoded once for each of them. */
import type { RunEvent } from '@natter/proto';
import type { Place, PlaceEvent } from '../session/dialect.ts';
import { Audience } from './audience.ts';
import { encodeCursor, type Position } from './cursor.ts';
import type { FeedDeps } from './feed-deps.ts';
import { RunContext } from './run-context.ts';
import type { RunFeed } from './run-feed.ts';
import type { Watch } from './watch.ts';

/** Whose audiences they are; no closure of it, which would cost memory. */
interface Told {
  readonly conversation: string;
  /** How far those who are up to date have come. */
  readonly position: Position;
}

/** Before anybody watches; never written to. */
const NONE: readonly Audience[] = [];

export class Audiences {
  readonly #told: Told;
  readonly #deps: Pick<FeedDeps, 'topics' | 'log' | 'now'>;
  /** As many as dialects, with and without cursors, in rooms and outside. */
  #audiences = NONE;

  constructor(told: Told, deps: Pick<FeedDeps, 'topics' | 'log' | 'now'>) {
    this.#told = told;
    this.#deps = deps;
  }

  add(watch: Watch): void {
    watch.behindAt = null;
    watch.live = true;
    this.#of(watch).add(watch);
  }

  remove(watch: Watch): void {
    watch.live = false;
    this.#of(watch).remove(watch);
  }

  /** Takes out those that `which` names, until they are brought up to date again. */
  setAside(which: (watch: Watch) => boolean): void {
    for (const audience of this.#audiences) {
      for (const watch of audience.live) {
        if (!which(watch)) continue;
        audience.remove(watch);
        watch.live = false;
        watch.behindAt = this.#told.position;
      }
    }
  }

  clear(): void {
    this.#audiences = NONE;
  }

  sendRun(feed: RunFeed, event: RunEvent): void {
    for (const audience of this.#audiences) {
      if (audience.live.size === 0) continue;
      try {
        audience.send(audience.dialect.encodeEvent(event, this.#contextFor(audience, feed)));
      } catch (err) {
        this.#deps.log.error({ err, run: feed.run, event: event.type }, 'an event could not be sent');
      }
    }
  }

  /** `position` is the event's sequence in the transcript, null for what is no part of it. */
  sendPlace(event: PlaceEvent, position: number | null, except: Watch | null): void {
    const { conversation } = this.#told;
    const atMs = this.#deps.now();
    for (const audience of this.#audiences) {
      if (audience.live.size === 0) continue;
      const cursor = audience.cursors ? encodeCursor(conversation, this.#told.position) : null;
      const { room, session } = audience.place;
      const context = { room, session, cursor, position, queued: false, atMs };
      audience.send(audience.dialect.encodePlaceEvent(event, context), except);
    }
  }

  contextOf(feed: RunFeed, place: Place, cursors: boolean): RunContext {
    return new RunContext(feed.run, feed.view, {
      conversation: this.#told.conversation,
      place,
      position: cursors ? () => this.#told.position : null,
      now: this.#deps.now,
    });
  }

  #contextFor(audience: Audience, feed: RunFeed): RunContext {
    audience.contexts ??= new WeakMap();
    let context = audience.contexts.get(feed);
    if (context === undefined) {
      context = this.contextOf(feed, audience.place, audience.cursors);
      audience.contexts.set(feed, context);
    }
    return context;
  }

  #of({ options }: Watch): Audience {
    const { dialect, cursors, place } = options;
    const isRoom = place.room !== null;
    let audience = this.#audiences.find(
      (other) =>
        other.dialect.name === dialect.name &&
        other.cursors === cursors &&
        (other.place.room !== null) === isRoom,
    );
    if (audience === undefined) {
      const name = `${dialect.name}|${cursors ? 1 : 0}|${isRoom ? 'room' : 'own'}`;
      const topic = `${this.#told.conversation}|${name}`;
      audience = new Audience(topic, dialect, cursors, place, this.#deps.topics);
      this.#audiences = this.#audiences.concat([audience]);
    }
    return audience;
  }
}
