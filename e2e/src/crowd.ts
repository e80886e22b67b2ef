/** Clients of all four wires, each with a conversation of its own, and as many in one room. */
import type { Stack } from '@natter/testkit';
import { expect } from 'vitest';
import { CHAT_WIRES, roomsV1 } from './chat-wires.ts';
import { ResumingClient } from './resuming-client.ts';
import { createRoom } from './rooms-http.ts';

/** Twenty words: at 40 tokens a second there is time to break something. */
const WORDS = 'with nine cups of tea and a long way to go before the morning comes and all of it begins anew';

export class Crowd {
  readonly #stack: Stack;
  readonly #name: string;
  readonly owners: ResumingClient[] = [];
  readonly members: ResumingClient[] = [];
  /** A member who is left alone by what happens to the others, on the last gateway. */
  speaker!: ResumingClient;
  #asked = 0;
  #greetings = 0;

  /** Everybody on gateway `gateway`. */
  static async gather(stack: Stack, name: string, gateway = 0): Promise<Crowd> {
    const crowd = new Crowd(stack, name);
    await crowd.#gather(gateway);
    return crowd;
  }

  private constructor(stack: Stack, name: string) {
    this.#stack = stack;
    this.#name = name;
  }

  get everybody(): ResumingClient[] {
    return [...this.owners, ...this.members];
  }

  /** What is asked next, in the room and by each of the owners. */
  questionTo(client: ResumingClient | 'room'): string {
    const mention = client === 'room' ? '@ai ' : '';
    const who = client === 'room' ? 'the room' : client.wire.name;
    return `${mention}Question ${this.#asked} of ${who} ${WORDS}?`;
  }

  /** Asks everywhere at once; returns how many answers each should have then. */
  ask(): number {
    this.#asked += 1;
    for (const client of this.owners)
      client.ask(this.questionTo(client), `${this.#name} ${client.wire.name} ${this.#asked}`);
    this.speaker.ask(this.questionTo('room'), `${this.#name} ${this.#asked}`);
    return this.#asked;
  }

  /** All of them have so many whole answers, the last being that to the last question, and no faults. */
  async expectAnswers(count = this.#asked): Promise<void> {
    await Promise.all(this.everybody.map((client) => client.until(() => client.ended.length >= count)));
    // What comes twice comes by then.
    await this.#greet();
    for (const client of this.everybody) {
      const asked = this.members.includes(client) ? this.questionTo('room') : this.questionTo(client);
      expect(client.faults).toEqual([]);
      expect(client.answers).toHaveLength(count);
      expect(client.answers.at(-1)).toMatchObject({ text: `Echo: ${asked}`, status: 'completed' });
      expect(client.recoveries.filter((recovered) => !recovered)).toEqual([]);
    }
    for (const client of this.members) {
      const own = client === this.speaker;
      expect(client.heard.filter(({ text }) => text === this.questionTo('room'))).toHaveLength(own ? 0 : 1);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.everybody, this.speaker].map((client) => client.close()));
  }

  async #gather(gateway: number): Promise<void> {
    const stack = this.#stack;
    const token = await stack.token({ sub: 'alice' });
    const speaker = await stack.token({ sub: 'carol' });
    const room = `room of ${this.#name}`;
    await createRoom(stack.httpUrl(gateway), speaker, { room_id: room, room_type: 'shared', ai: 'mention' });
    for (const wire of CHAT_WIRES) {
      const conversation = `${this.#name} ${wire.name}`;
      this.owners.push(new ResumingClient(wire, { token, conversation }));
      this.members.push(
        new ResumingClient(wire, { token: await stack.token({ sub: `bob ${wire.name}` }), room }),
      );
    }
    const last = stack.gateways.length - 1;
    this.speaker = new ResumingClient(roomsV1, { token: speaker, room });
    await Promise.all([
      this.speaker.open(stack.url(last)),
      ...this.everybody.map((client) => client.open(stack.url(gateway))),
    ]);
    await this.#greet();
  }

  /** Goes on saying something in the room until all members hear it: not all wires say when they are there. */
  async #greet(): Promise<void> {
    const heard = (client: ResumingClient, since: number) =>
      client.heard.some(({ text }) => text.startsWith('Hello ') && Number(text.slice(6)) > since);
    const since = this.#greetings;
    const all = () => this.members.every((client) => heard(client, since));
    await expect
      .poll(
        async () => {
          this.#greetings += 1;
          this.speaker.ask(`Hello ${this.#greetings}`, `${this.#name} hello ${this.#greetings}`);
          await this.speaker.readRest();
          for (const client of this.everybody) await client.readRest();
          return all();
        },
        { timeout: 30_000, interval: 100 },
      )
      .toBe(true);
  }
}
