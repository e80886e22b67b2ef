/** What takes connections that are each in a room: Natter first, then the peers. */
import type { Stack } from '@natter/testkit';
import type { Bench, Size } from '../../bench.ts';
import { JOINED_MARK, roomPath } from '../../load/bench-room.ts';
import type { Entrance } from '../../load/entrance.ts';
import { openSocket } from '../../load/open-socket.ts';
import { person } from '../../load/person.ts';
import { tokenKeysOf } from '../../load/token-keys.ts';
import { startMeasuredStack } from '../../stack.ts';
import type { Subject } from '../idle.ts';

/** A join costs the auth service a read for each member, so one room of all would take hours. */
const IN_A_ROOM = 10;

/** As without rooms, but for `quick`: a join takes ten times as long as a connection. */
const STEPS: Record<Size, readonly number[]> = {
  tiny: [20, 60, 100, 200],
  quick: [200, 600, 1_000],
  full: [200, 1_000, 5_000, 9_500, 13_500, 18_000],
};
/** Sockets, and as many rooms. */
const ALONE_STEPS = { tiny: [20, 60, 100, 200], full: [200, 2_500, 5_000, 7_500, 10_000] };

/** Rooms of ten; each connection is of a person of their own. */
export async function startInRooms(bench: Bench): Promise<{ natter: Subject; peers: Subject[] }> {
  const steps = STEPS[bench.size];
  const { stack, tokens } = await startPeople(bench, steps);
  const natter = natterSubject(
    stack,
    { name: 'natter', title: 'Natter, in rooms', steps },
    tokens,
    IN_A_ROOM,
  );
  const peers: Subject[] = [];
  const able = bench.peers.filter(({ startSockets }) => startSockets !== undefined);
  const jwks = able.length === 0 ? { keys: [] } : await tokenKeysOf(stack);
  for (const { name, title, startSockets } of able) {
    const { pids, port, entrance } = await (startSockets as NonNullable<typeof startSockets>)(bench, jwks);
    const about = { name, title, steps, pid: pids[0] as number };
    peers.push(subject(about, port, tokens, IN_A_ROOM, entrance));
  }
  return { natter, peers };
}

/** A room for each connection: what a room costs is seen nowhere else. */
export async function startInRoomsOfOne(bench: Bench): Promise<Subject> {
  const steps = ALONE_STEPS[bench.size === 'tiny' ? 'tiny' : 'full'];
  const { stack, tokens } = await startPeople(bench, steps);
  return natterSubject(stack, { name: 'alone', title: 'Natter, in rooms of one', steps }, tokens, 1);
}

async function startPeople(bench: Bench, steps: readonly number[]) {
  const stack = await startMeasuredStack(bench, 'gateway');
  const tokens: string[] = [];
  for (let user = 0; user < (steps.at(-1) as number); user += 1) tokens.push(await stack.token(person(user)));
  return { stack, tokens };
}

function natterSubject(
  stack: Stack,
  about: Pick<Subject, 'name' | 'title' | 'steps'>,
  tokens: readonly string[],
  inARoom: number,
): Subject {
  const gateway = stack.gateways[0];
  if (gateway === undefined) throw new Error('the stack has no gateway');
  const port = gateway.ports.http as number;
  return subject({ ...about, pid: gateway.pid }, port, tokens, inARoom, (token, room) => ({
    path: roomPath(token, room as string),
    readyMark: JOINED_MARK,
  }));
}

function subject(
  about: Pick<Subject, 'name' | 'title' | 'steps' | 'pid'>,
  port: number,
  tokens: readonly string[],
  inARoom: number,
  entrance: (token: string, room: string | null) => Entrance,
): Subject {
  return {
    ...about,
    open: (index) => {
      const way = entrance(tokens[index] as string, `idle-${Math.floor(index / inARoom)}`);
      return openSocket({ port, ...way, onData: () => undefined, onLost: () => undefined });
    },
    collectGarbage: async () => null,
  };
}
