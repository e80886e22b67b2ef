/** What takes connections that are each in a room of ten: Natter first, then the peers. */
import type { Bench } from '../../bench.ts';
import { JOINED_MARK, roomPath } from '../../load/bench-room.ts';
import type { Entrance } from '../../load/entrance.ts';
import { openSocket } from '../../load/open-socket.ts';
import { person } from '../../load/person.ts';
import { tokenKeysOf } from '../../load/token-keys.ts';
import { startMeasuredStack } from '../../stack.ts';
import type { Subject } from '../idle.ts';

/** A join costs the auth service a read for each member, so one room of all would take hours. */
const IN_A_ROOM = 10;

/** Each connection is of a person of their own; none where no peer keeps connections. */
export async function startInRooms(bench: Bench, people: number): Promise<Subject[]> {
  const able = bench.peers.filter(({ startSockets }) => startSockets !== undefined);
  if (able.length === 0) return [];
  const stack = await startMeasuredStack(bench, 'gateway');
  const tokens: string[] = [];
  for (let user = 0; user < people; user += 1) tokens.push(await stack.token(person(user)));
  const jwks = await tokenKeysOf(stack);
  const subject = (
    about: Pick<Subject, 'name' | 'title' | 'pid'>,
    port: number,
    entrance: (token: string, room: string) => Entrance,
  ): Subject => ({
    ...about,
    open: (index) => {
      const room = `idle-${Math.floor(index / IN_A_ROOM)}`;
      const way = entrance(tokens[index] as string, room);
      return openSocket({ port, ...way, onData: () => undefined, onLost: () => undefined });
    },
    collectGarbage: async () => null,
  });
  const gateway = stack.gateways[0];
  if (gateway === undefined) throw new Error('the stack has no gateway');
  const natter = subject(
    { name: 'natter', title: 'Natter, in rooms', pid: gateway.pid },
    gateway.ports.http as number,
    (token, room) => ({ path: roomPath(token, room), readyMark: JOINED_MARK }),
  );
  const subjects = [natter];
  for (const { name, title, startSockets } of able) {
    const { pids, port, entrance } = await (startSockets as NonNullable<typeof startSockets>)(bench, jwks);
    subjects.push(subject({ name, title, pid: pids[0] as number }, port, entrance));
  }
  return subjects;
}
