/** People who talk in several places at once, and what of it was acknowledged to them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Xorshift } from '../fuzz/xorshift.ts';
import { until } from '../measure/until.ts';
import type { FaultClient } from './fault-client.ts';
import { everybodyIn, HELLO, isHello, type Place } from './place.ts';
import { keyOf } from './wires/fault-wire.ts';

export interface LoadOptions {
  places: readonly Place[];
  random: Xorshift;
  /** Milliseconds between an acknowledgement and the next message of the same person. */
  pauseMs: { least: number; most: number };
  /** Of 100 questions, how many are cancelled. */
  cancelPercent: number;
}

/** Of a room's messages one of so many asks the AI. */
const ASKS_OF = 6;
/** In a room the AI answers those that name it. */
const MENTION = '@ai ';
const SETTLE_MS = 90_000;
/** In one place: who comes later is shown at most 1,000 entries. */
const MAX_SAID = 800;
const GREETING_MS = 1_000;
const MAX_GREETINGS = 60;
/** A cancel may come at any time from before the answer to its end. */
const LONGEST_ANSWER_MS = 600;
const WORDS =
  'nine cups of tea and a long way to go before the morning comes and all of it begins anew'.split(' ');

export class Load {
  /** Acknowledgements so far. */
  count = 0;
  /** What could not be waited for. */
  readonly failures: string[] = [];
  readonly #options: LoadOptions;
  readonly #wanted: { count: number; resolve(): void }[] = [];
  readonly #asks = new Map<string, { text: string; asks: boolean }>();
  #running = true;
  #talk: Promise<unknown> = Promise.resolve();

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** To be called by every client, with its place; `counts`: unless something else is counted. */
  acknowledged(place: Place, key: string, counts: boolean): void {
    const said = this.#asks.get(key);
    if (said === undefined) return;
    this.#asks.delete(key);
    place.acknowledged.push({ key, ...said, atMs: performance.now() });
    if (counts) this.counted();
  }

  /** One more of whatever this load counts. */
  counted(): void {
    this.count += 1;
    for (const wanted of this.#wanted) if (wanted.count <= this.count) wanted.resolve();
  }

  /** Resolves at the acknowledgement with this number. */
  untilCount(count: number): Promise<void> {
    return new Promise((resolve) => {
      if (count <= this.count) resolve();
      else this.#wanted.push({ count, resolve });
    });
  }

  /** Somebody says hello again and again, until everybody has a cursor and may be cut off. */
  async begin(): Promise<void> {
    const { places } = this.#options;
    await until(SETTLE_MS, 'everybody is there', () => all(places).every(({ isOpen }) => isOpen));
    await Promise.all(places.map((place) => this.#greet(place)));
    const talks = places.flatMap((place) => place.speakers.map((speaker) => this.#talkIn(place, speaker)));
    this.#talk = Promise.all(talks);
  }

  /** Ends the talk, and waits until the answer to one last question has come to everybody. */
  async end(): Promise<void> {
    this.#running = false;
    const { places } = this.#options;
    const isTalked = await this.#inTime('all messages are acknowledged', this.#talk);
    if (!isTalked) return;
    await Promise.all(
      places.map(async (place) => {
        const lasts = place.speakers.map((one) => this.#say(place, one, 'last', this.#question(one, 'last')));
        if (!(await this.#inTime(`${place.name} has its last questions`, Promise.all(lasts)))) return;
        const hasAll = (client: FaultClient) =>
          place.speakers.every((speaker) => hasEnd(place, speaker, 'last', client));
        await until(SETTLE_MS, `${place.name} has its last answers`, () =>
          everybodyIn(place).every(hasAll),
        ).catch((error: Error) => this.failures.push(error.message));
      }),
    );
  }

  async #talkIn(place: Place, speaker: FaultClient): Promise<void> {
    const { random, pauseMs, cancelPercent } = this.#options;
    let open: string | null = null;
    for (let number = 0; this.#running; number += 1) {
      if (open !== null && hasEnd(place, speaker, open, speaker)) open = null;
      const inRoom = speaker.visit.room !== null;
      // One question at a time: what waits for an agent's takeover must not grow.
      const id = `message-${number}`;
      if (open === null && (!inRoom || random.below(ASKS_OF) === 0)) {
        await this.#say(place, speaker, id, this.#question(speaker, id));
        open = id;
        if (random.below(100) < cancelPercent) {
          await sleep(random.below(LONGEST_ANSWER_MS));
          speaker.cancel(messageIdOf(place, id));
        }
      } else if (inRoom && place.acknowledged.length < MAX_SAID) {
        await this.#say(place, speaker, id, `${id} of ${speaker.visit.sub}, for people only`);
      }
      await sleep(pauseMs.least + random.below(pauseMs.most - pauseMs.least + 1));
    }
    // Where an answer is what acknowledges a question, two must not be under way.
    const last = open;
    if (last !== null && !speaker.wire.confirms)
      await until(SETTLE_MS, 'the answer before', () => hasEnd(place, speaker, last, speaker));
  }

  #question({ visit }: FaultClient, id: string): string {
    const { random } = this.#options;
    const from = random.below(WORDS.length - 4);
    const words = WORDS.slice(from, from + 4 + random.below(8)).join(' ');
    return `${visit.room === null ? '' : MENTION}${id} of ${visit.sub}: ${words}?`;
  }

  /** Not every wire says when somebody is in the room of their request: who gets a cursor is. */
  async #greet(place: Place): Promise<void> {
    const isThere = () => everybodyIn(place).every(({ cursor }) => cursor !== '');
    for (let round = 0; round < MAX_GREETINGS && !isThere(); round += 1) {
      for (const speaker of place.speakers) {
        const id = `${HELLO}-${round}`;
        const inRoom = speaker.visit.room !== null;
        await this.#say(
          place,
          speaker,
          id,
          inRoom ? `${id} from ${speaker.visit.sub}` : this.#question(speaker, id),
        );
        const { story } = speaker;
        if (!inRoom) await until(SETTLE_MS, 'an answer to hello', () => story.ended.length > round);
      }
      await until(GREETING_MS, 'everybody is there', isThere).catch(() => undefined);
    }
    if (!isThere()) throw new Error(`not everybody came to ${place.name}`);
  }

  #say(place: Place, speaker: FaultClient, id: string, text: string): Promise<void> {
    const asks = speaker.visit.room === null || text.startsWith(MENTION);
    const messageId = messageIdOf(place, id);
    this.#asks.set(keyOf(speaker.visit.sub, messageId), { text, asks });
    return speaker.say(text, messageId);
  }

  async #inTime(what: string, promise: Promise<unknown>): Promise<boolean> {
    let isDone = false;
    const done = promise.then(() => {
      isDone = true;
    });
    try {
      await Promise.race([done, until(SETTLE_MS, what, () => isDone)]);
      return true;
    } catch (error) {
      this.failures.push((error as Error).message);
      return false;
    }
  }
}

function all(places: readonly Place[]): FaultClient[] {
  return places.flatMap(everybodyIn);
}

/** Part of it is the place: message ids are of a user in a conversation, and users are in several. */
function messageIdOf({ name }: Place, id: string): string {
  return `${name}-${id}`;
}

/** Whether `client` was shown the end of the answer to this question of `speaker`. */
function hasEnd(place: Place, speaker: FaultClient, id: string, { wire, story }: FaultClient): boolean {
  const run = speaker.runs.get(messageIdOf(place, id));
  if (wire.confirms) return story.ended.some((one) => one.run === run);
  // Frames that don't name their run: answers come one after the other, so counting will do.
  const asked = place.acknowledged.filter(({ asks, text }) => asks && !isHello(text)).length;
  return story.ended.filter(({ text }) => !isHello(text)).length >= asked;
}
