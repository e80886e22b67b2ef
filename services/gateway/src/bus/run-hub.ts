/**
 * The runs this gateway follows: one subscription per conversation, one view per run, one
 * encoding per event and dialect, any number of followers.
 */
import {
  AssistantMessage,
  RunBatch,
  type RunEvent,
  runEndOf,
  runOfSubject,
  STREAMS,
  SUBJECTS,
} from '@natter/proto';
import type { Bus, BusMessage, Logger, Subscription } from '@natter/runtime';
import type { Dialect, RunText } from '../session/dialect.ts';
import { Gate } from './gate.ts';
import { RunView } from './run-view.ts';

/** Somebody who wants the events of one run. */
export interface Follower {
  readonly dialect: Dialect;
  /** The client's name of the conversation. */
  readonly session: string;
  /** `frame` is null where the dialect has none for the event; `run` stays live. Must not throw. */
  deliver(event: RunEvent, frame: string | null, run: RunText): void;
}

export interface Following {
  /** Reads from the broker what happened before or was missed; call it for a repeated question. */
  repair(): void;
  stop(): void;
}

interface RunFeed {
  conversation: string;
  run: string;
  view: RunView;
  followers: Set<Follower>;
  /** Batches that came while the broker is asked for what is missing; null when it isn't. */
  held: RunBatch[] | null;
  heardAtMs: number;
  repairedAtMs: number;
}

interface ConversationFeed {
  subscription: Subscription;
  runs: Map<string, RunFeed>;
}

/** Runs read from the broker at once: after a reconnect all of them want to be. */
const REPAIRS_AT_ONCE = 16;
/** Held batches above this are dropped; the next one shows the gap again. */
const HELD_LIMIT = 1_000;
/** A hole that a repair did not close is looked at again after this long. */
const TORN_RETRY_MS = 1_000;
/** A run that has been silent this long is checked, in case its last event was lost. */
const SILENCE_MS = 15_000;

const decoder = new TextDecoder();

export class RunHub {
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #conversations = new Map<string, ConversationFeed>();
  readonly #repairs = new Gate(REPAIRS_AT_ONCE);

  constructor(bus: Bus, log: Logger, now: () => number) {
    this.#bus = bus;
    this.#log = log;
    this.#now = now;
    bus.onReconnect(() => this.#repairAll(0));
  }

  /** Runs with followers. */
  get size(): number {
    let runs = 0;
    for (const feed of this.#conversations.values()) runs += feed.runs.size;
    return runs;
  }

  /** Delivers what is known of the run, then every event until `stop`. */
  follow(conversation: string, run: string, follower: Follower): Following {
    const feed = this.#feed(conversation, run);
    const text = textOf(feed.view, follower.session);
    feed.view.replay((event) => follower.deliver(event, follower.dialect.encodeEvent(event, text), text));
    feed.followers.add(follower);
    return {
      repair: () => void this.#repair(feed),
      stop: () => this.#leave(feed, follower),
    };
  }

  /** Checks runs from which nothing has been heard; call it every few seconds. */
  checkSilent(): void {
    this.#repairAll(SILENCE_MS);
  }

  #feed(conversation: string, run: string): RunFeed {
    let runs = this.#conversations.get(conversation)?.runs;
    if (runs === undefined) {
      runs = new Map();
      const subject = SUBJECTS.conversationRunsOut(conversation);
      const subscription = this.#bus.subscribe(subject, (message) => this.#receive(conversation, message));
      this.#conversations.set(conversation, { subscription, runs });
    }
    let feed = runs.get(run);
    if (feed === undefined) {
      feed = {
        conversation,
        run,
        view: new RunView(),
        followers: new Set(),
        held: null,
        heardAtMs: this.#now(),
        repairedAtMs: 0,
      };
      runs.set(run, feed);
    }
    return feed;
  }

  #leave(feed: RunFeed, follower: Follower): void {
    feed.followers.delete(follower);
    if (feed.followers.size > 0) return;
    const conversation = this.#conversations.get(feed.conversation);
    if (conversation?.runs.get(feed.run) !== feed) return;
    conversation.runs.delete(feed.run);
    if (conversation.runs.size > 0) return;
    conversation.subscription.close();
    this.#conversations.delete(feed.conversation);
  }

  #receive(conversation: string, message: BusMessage): void {
    const feed = this.#conversations.get(conversation)?.runs.get(runOfSubject(message.subject));
    if (feed === undefined) return;
    feed.heardAtMs = this.#now();
    // Only agents may publish here (broker permissions), and a schema for each token would cost
    // more than the token: the shape is checked where events are read back.
    const batch = JSON.parse(decoder.decode(message.data)) as RunBatch;
    if (feed.held !== null) {
      if (feed.held.length < HELD_LIMIT) feed.held.push(batch);
    } else if (feed.view.isGapBefore(batch) || this.#isTornStill(feed)) {
      void this.#repair(feed, batch);
    } else {
      this.#apply(feed, batch);
    }
  }

  #applyHeld(feed: RunFeed, batch: RunBatch): void {
    try {
      this.#apply(feed, batch);
    } catch (err) {
      this.#log.error({ err, run: feed.run }, 'a held batch could not be read');
    }
  }

  #applyStored(feed: RunFeed, data: Uint8Array): void {
    try {
      this.#apply(feed, RunBatch.parse(JSON.parse(decoder.decode(data))));
    } catch (err) {
      // One that can't be read must not hide the others.
      this.#log.error({ err, run: feed.run }, 'a stored batch could not be read');
    }
  }

  #apply(feed: RunFeed, batch: RunBatch): void {
    feed.view.apply(batch, (event) => this.#emit(feed, event));
  }

  /** Encodes once per dialect: all followers of a run know its conversation by the same name. */
  #emit(feed: RunFeed, event: RunEvent): void {
    let dialect: Dialect | null = null;
    let run: RunText | null = null;
    let frame: string | null = null;
    for (const follower of feed.followers) {
      try {
        if (run === null || follower.dialect !== dialect) {
          dialect = follower.dialect;
          run = textOf(feed.view, follower.session);
          frame = dialect.encodeEvent(event, run);
        }
        follower.deliver(event, frame, run);
      } catch (err) {
        // The others must have it all the same.
        this.#log.error({ err, run: feed.run, event: event.type }, 'an event could not be delivered');
      }
    }
  }

  #repairAll(silenceMs: number): void {
    const before = this.#now() - silenceMs;
    for (const { runs } of this.#conversations.values()) {
      for (const feed of runs.values()) if (feed.heardAtMs <= before) void this.#repair(feed);
    }
  }

  #isTornStill({ view, repairedAtMs }: RunFeed): boolean {
    return view.torn && this.#now() - repairedAtMs >= TORN_RETRY_MS;
  }

  /** Asks the broker for what is missing; holds back what comes meanwhile. */
  async #repair(feed: RunFeed, next?: RunBatch): Promise<void> {
    if (feed.held !== null) return;
    feed.held = next === undefined ? [] : [next];
    feed.heardAtMs = this.#now();
    await this.#repairs.run(async () => {
      try {
        if (feed.followers.size > 0) await this.#readMissing(feed);
      } catch (err) {
        // Tried again after the silence, at a reconnect, or when more text doesn't join.
        this.#log.warn({ err, run: feed.run }, 'missed events could not be read');
      }
      feed.repairedAtMs = this.#now();
      const held = feed.held ?? [];
      feed.held = null;
      for (const batch of held) this.#applyHeld(feed, batch);
    });
  }

  /** Reads the run's events, and its end from the transcript if they lack it. */
  async #readMissing(feed: RunFeed): Promise<void> {
    const { conversation, run, view } = feed;
    const stored = await this.#bus.stored.all(STREAMS.events, SUBJECTS.runEvents(conversation, run));
    for (const { data } of stored) this.#applyStored(feed, data);
    if (view.end !== null) return;
    const answer = await this.#bus.stored.last(
      STREAMS.messages,
      SUBJECTS.message(conversation, run, 'assistant'),
    );
    if (answer === null) return;
    const end = runEndOf(AssistantMessage.parse(JSON.parse(decoder.decode(answer.data))));
    view.finish(end, (event) => this.#emit(feed, event));
  }
}

/** A live look at the view under the name a client gave the conversation. */
function textOf(view: RunView, session: string): RunText {
  return {
    session,
    get text() {
      return view.text;
    },
    get textJson() {
      return view.textJson;
    },
  };
}
