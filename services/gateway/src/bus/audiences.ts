/** All who watch one conversation, by wire: each event is encoded once for each of them. */
import type { RunEvent } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import type { Place, PlaceEvent } from '../session/dialect.ts';
import type { Topics } from '../session/topics.ts';
import { Audience } from './audience.ts';
import { encodeCursor, type Position } from './cursor.ts';
import { RunContext } from './run-context.ts';
import type { RunFeed } from './run-feed.ts';
import type { Watch } from './watch.ts';

export interface AudiencesDeps {
  conversation: string;
  topics: Topics;
  log: Logger;
  now: () => number;
  /** How far those who are up to date have come. */
  position: () => Position;
}

export class Audiences {
  readonly #deps: AudiencesDeps;
  readonly #audiences = new Map<string, Audience>();

  constructor(deps: AudiencesDeps) {
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
    for (const audience of this.#audiences.values()) {
      for (const watch of audience.live) {
        if (!which(watch)) continue;
        audience.remove(watch);
        watch.live = false;
        watch.behindAt = this.#deps.position();
      }
    }
  }

  clear(): void {
    this.#audiences.clear();
  }

  sendRun(feed: RunFeed, event: RunEvent): void {
    for (const audience of this.#audiences.values()) {
      if (audience.live.size === 0) continue;
      try {
        const context = audience.contexts.get(feed) ?? this.contextOf(feed, audience.place, audience.cursors);
        audience.contexts.set(feed, context);
        audience.send(audience.dialect.encodeEvent(event, context));
      } catch (err) {
        this.#deps.log.error({ err, run: feed.run, event: event.type }, 'an event could not be sent');
      }
    }
  }

  /** `position` is the event's sequence in the transcript, null for what is no part of it. */
  sendPlace(event: PlaceEvent, position: number | null, except: Watch | null): void {
    const { conversation, now } = this.#deps;
    const atMs = now();
    for (const audience of this.#audiences.values()) {
      if (audience.live.size === 0) continue;
      const cursor = audience.cursors ? encodeCursor(conversation, this.#deps.position()) : null;
      const { room, session } = audience.place;
      const context = { room, session, cursor, position, queued: false, atMs };
      audience.send(audience.dialect.encodePlaceEvent(event, context), except);
    }
  }

  contextOf(feed: RunFeed, place: Place, cursors: boolean): RunContext {
    const { conversation, now, position } = this.#deps;
    return new RunContext(feed.run, feed.view, {
      conversation,
      place,
      position: cursors ? position : null,
      now,
    });
  }

  #of({ options }: Watch): Audience {
    const { dialect, cursors, place } = options;
    const name = `${dialect.name}|${cursors ? 1 : 0}|${place.room === null ? 'own' : 'room'}`;
    let audience = this.#audiences.get(name);
    if (audience === undefined) {
      const topic = `${this.#deps.conversation}|${name}`;
      audience = new Audience(topic, dialect, cursors, place, this.#deps.topics);
      this.#audiences.set(name, audience);
    }
    return audience;
  }
}
