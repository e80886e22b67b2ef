/** A user who talks in places of their own on every wire all the while somebody else attacks. */
import { connect, type Frame, type Probe, type Stack } from '@natter/testkit';
import { ANSWER_MS } from './chat.ts';
import { CHAT_WIRES, type ChatWire, roomsV1, type Seen, type Visit } from './chat-wires.ts';
import { roomPath, roomsCurl } from './rooms-curl.ts';

/**
 * In everything the victim says and gets to hear; nobody else may ever be sent it.
 *
 * As short as a token of the demo model, so that no piece of an answer has only half of it.
 */
export const CANARY = 'zqxjkv';
/** Between two questions in one place; without one nobody else would get through. */
const PAUSE_MS = 250;
/** Begins message ids: what an attacker names comes back to them, so it has no canary. */
const MESSAGE = 'message-of-the-victim';
export const FIRST_QUESTION = 'What was my first question?';

export type PlaceKind = 'conversation' | 'session' | 'private' | 'shared' | 'group';

/** One place of the victim: what an attacker would have to know of it, and where it is. */
export interface VictimPlace {
  kind: PlaceKind;
  wire: ChatWire['name'];
  /** Name of the conversation, or id of the room. */
  id: string;
  /** The newest cursor in it. */
  cursor: string;
  /** Message id of the first question, as the victim made it. */
  message: string;
}

interface Seat {
  place: VictimPlace;
  wire: ChatWire;
  visit: Visit;
  probe: Probe;
  said: number;
}

export interface PlaceRequest {
  kind: PlaceKind;
  wire: ChatWire;
  id: string;
}

/** One place on each wire, and each kind of room; `prefix` makes their ids. */
export function usualPlaces(prefix: string): PlaceRequest[] {
  const own = CHAT_WIRES.map((wire): PlaceRequest => {
    const kind = wire.name === 'session-v1' ? 'session' : 'conversation';
    return { kind, wire, id: `${prefix}-${wire.name}` };
  });
  const rooms = (['private', 'shared', 'group'] as const).map((kind): PlaceRequest => {
    return { kind, wire: roomsV1, id: `${prefix}-${kind}` };
  });
  return [...own, ...rooms];
}

export class Victim {
  readonly sub: string;
  readonly token: string;
  readonly places: VictimPlace[] = [];
  /** Connection id on rooms-v1. */
  connection = '';
  readonly #stack: Stack;
  readonly #seats: Seat[] = [];
  #talking = true;
  #talk: Promise<void> = Promise.resolve();
  #failure: unknown = null;

  /** Everything is there, and has been talked in once; from now on the victim goes on and on. */
  static async settle(stack: Stack, sub: string, requests: readonly PlaceRequest[]): Promise<Victim> {
    const victim = new Victim(stack, sub, await stack.token({ sub, name: `${CANARY} ${sub}` }));
    for (const request of requests) await victim.#move(request);
    const everywhere = victim.#seats.map((seat) => victim.#talkIn(seat));
    victim.#talk = Promise.all(everywhere).then(
      () => undefined,
      (error: unknown) => {
        victim.#failure = error;
      },
    );
    return victim;
  }

  private constructor(stack: Stack, sub: string, token: string) {
    this.#stack = stack;
    this.sub = sub;
    this.token = token;
  }

  /** How many frames with the canary in them the victim was sent; grows while all is well. */
  get heard(): number {
    return this.frames.filter((frame) => frame.includes(CANARY)).length;
  }

  /** Everything the victim was sent, as text. */
  get frames(): string[] {
    return this.#seats.flatMap(({ probe }) => probe.frames.map((frame: Frame) => JSON.stringify(frame)));
  }

  /** Asks HTTP routes below `/api/v1/ws` as the victim. */
  get curl() {
    return roomsCurl(this.#stack.httpUrl(), this.token);
  }

  async ban(roomId: string, user_id: string): Promise<void> {
    const { status } = await this.curl('POST', roomPath(roomId, '/bans'), { user_id });
    if (status !== 200) throw new Error(`the victim could not ban ${user_id}: ${status}`);
  }

  /** Throws what went wrong meanwhile. */
  async leave(): Promise<void> {
    this.#talking = false;
    await this.#talk;
    await Promise.all(this.#seats.map(({ probe }) => probe.close()));
    if (this.#failure !== null) throw this.#failure;
  }

  async #move({ kind, wire, id }: PlaceRequest): Promise<void> {
    const isRoom = kind === 'private' || kind === 'shared' || kind === 'group';
    const visit: Visit = {
      token: this.token,
      ...(isRoom ? { room: id } : { conversation: id }),
      query: { seq: '1', ...(isRoom && { room_type: kind }) },
    };
    const probe = await connect(this.#stack.url() + wire.path(visit), { timeoutMs: 30_000 });
    if (wire.greets) {
      const greeting = await probe.next((frame) => isKind(wire.read(frame), 'ready'), ANSWER_MS);
      if (wire === roomsV1) this.connection = greeting.data.connection_id;
    }
    const place: VictimPlace = { kind, wire: wire.name, id, cursor: '', message: `${MESSAGE}-0` };
    const seat: Seat = { place, wire, visit, probe, said: 0 };
    await this.#say(seat, `${CANARY} is what I say first`);
    this.places.push(place);
    this.#seats.push(seat);
  }

  async #talkIn(seat: Seat): Promise<void> {
    // Its answer quotes the first one, canary and all.
    while (this.#talking) {
      await this.#say(seat, FIRST_QUESTION);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #say(seat: Seat, text: string): Promise<void> {
    const { wire, visit, probe, place } = seat;
    probe.send(wire.ask(text, `${MESSAGE}-${seat.said}`, visit));
    seat.said += 1;
    await probe.next((frame) => {
      // Connections of rooms-v1 see what happens in the user's other places, too.
      if (wire === roomsV1 && frame.data?.conversation_id !== place.id) return false;
      const seen = wire.read(frame);
      if (isKind(seen, 'refused')) throw new Error(`the victim was refused: ${JSON.stringify(frame)}`);
      place.cursor = frame.cursor ?? place.cursor;
      return isKind(seen, 'end');
    }, ANSWER_MS);
  }
}

function isKind(seen: Seen | Seen[] | null, kind: Seen['kind']): boolean {
  return [seen ?? []].flat().some((one) => one.kind === kind);
}
