/** One shared room of the stack under test: its key on the bus, its way in, what its frames look like. */
import { RoomsReply, SUBJECTS } from '@natter/proto';
import type { Bus } from '@natter/runtime';
import type { Stack } from '@natter/testkit';
import { person } from './person.ts';
import { RawSocket } from './raw-socket.ts';
import { RoomRun } from './room-run.ts';
import { connectAs } from './service-bus.ts';

/** Everybody watches this one. */
export const ROOM_ID = 'bench';
/** In the frame by which rooms-v1 lets somebody into a room. Source: seeds/004, Room Joined. */
export const JOINED_MARK = '"type":"join_room"';

const ANSWER_MS = 10_000;

const PATH = '/api/v1/ws/ws';

/** Path of an upgrade request that joins a shared room at once. */
export function roomPath(token: string, roomId = ROOM_ID, more = ''): string {
  return `${PATH}?token=${token}&room_id=${roomId}&room_type=shared${more}`;
}

/** Path of one that goes on from a cursor, which names the room. */
export function resumePath(token: string, cursor: string): string {
  return `${PATH}?token=${token}&seq=1&resume=${encodeURIComponent(cursor)}`;
}

/** Tokens of `count` people, numbered from 0. */
export async function tokensOf(stack: Stack, count: number): Promise<string[]> {
  const tokens: string[] = [];
  for (let user = 0; user < count; user += 1) tokens.push(await stack.token(person(user)));
  return tokens;
}

export class BenchRoom {
  readonly #agent: Bus;
  readonly #key: string;
  readonly #port: number;
  readonly #path: string;

  /** Makes the room by joining it with this token. */
  static async open(stack: Stack, token: string, roomId = ROOM_ID): Promise<BenchRoom> {
    const port = stack.gateways[0]?.ports.http as number;
    const path = roomPath(token, roomId);
    const socket = await join(port, path, () => undefined);
    const gateway = await connectAs('gateway', stack.nats);
    try {
      const key = await keyOf(gateway, roomId);
      return new BenchRoom(await connectAs('agent', stack.nats), key, port, path);
    } finally {
      await gateway.close();
      socket.drop();
    }
  }

  private constructor(agent: Bus, key: string, port: number, path: string) {
    this.#agent = agent;
    this.#key = key;
    this.#port = port;
    this.#path = path;
  }

  /** A new run in it, not begun. */
  run(): RoomRun {
    return new RoomRun(this.#agent, this.#key);
  }

  /** The frame in which a watcher gets `text`, when it isn't the first of a run. */
  async frameOf(text: string): Promise<string> {
    let seen: (frame: string) => void = () => undefined;
    const socket = await join(this.#port, this.#path, (frame) => seen(frame));
    const next = () =>
      new Promise<string>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('the room got no text')), ANSWER_MS);
        seen = (frame) => {
          if (!frame.includes(text)) return;
          clearTimeout(timer);
          resolve(frame);
        };
      });
    const run = this.run();
    await run.begin();
    await Promise.all([next(), run.say(text)]);
    const [frame] = await Promise.all([next(), run.say(text)]);
    await run.end();
    socket.drop();
    return frame;
  }

  close(): Promise<void> {
    return this.#agent.close();
  }
}

/** The key of the room's conversation; an admin may see any room. */
async function keyOf(bus: Bus, id: string): Promise<string> {
  const request = { op: 'get', who: { sub: 'bench', name: null, admin: true }, id };
  const reply = await bus.request(SUBJECTS.authRooms, JSON.stringify(request), ANSWER_MS);
  const answer = RoomsReply.parse(JSON.parse(new TextDecoder().decode(reply)));
  const room = answer.ok ? answer.rooms[0]?.room : undefined;
  if (room === undefined) throw new Error(`the room can't be found: ${JSON.stringify(answer)}`);
  return room.key;
}

function join(port: number, path: string, onFrame: (frame: string) => void): Promise<RawSocket> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the room let nobody in')), ANSWER_MS);
    const socket: RawSocket = new RawSocket({
      port,
      path,
      onText: (payload) => {
        const frame = payload.toString();
        onFrame(frame);
        if (!frame.includes(JOINED_MARK)) return;
        clearTimeout(timer);
        resolve(socket);
      },
      onLost: (why) => reject(new Error(`a connection to the room failed: ${why}`)),
    });
  });
}
