/** Upgrade requests: the query string of each wire, and the header that one of them reads. */
import { isClientId, TurnOptions } from '@natter/proto';
import { logsV1 } from '../../../../services/gateway/src/dialects/logs-v1/codec.ts';
import { DIALECTS } from '../../../../services/gateway/src/dialects/registry.ts';
import type { Opening } from '../../../../services/gateway/src/session/dialect.ts';
import type { LogOpening } from '../../../../services/gateway/src/session/logs/log-wire.ts';
import { seedOf } from '../seed.ts';
import type { FuzzTarget } from './fuzz-target.ts';

const SEEDS = [
  'token=eyJhbGciOiJFZERTQSJ9.e30.c2ln&room_id=lobby&room_type=shared&room_name=The%20lobby&seq=1',
  'access_token=abc&chat_id=my-chat&model=gpt-4&llm_provider=openai&len_context=20&watch=1&on_busy=reject',
  'session_id=my-car&resume=c1.alice%3Dmine.a.b.00000000000000000000000000.1.2,c1.%3Dlobby%3D7.1.2..0.0',
  'service=gateway&level=info&category=general&tail=100&cursor=1042&name=ci&format=full',
  "master_token=m\n[{'name': 'maps', 'protocol': 'httpstream', 'httpstream-url': 'https://example.com/mcp', 'headers': {'X': 'y'}, 'auth': None}]",
  'a=b\n{"maps":{"httpstream-url":"https://example.com/","auth":{"type":"bearer"}}}',
  'a=b\nBearer eyJhbGciOiJFZERTQSJ9.e30.c2ln',
  'a=b\naccess_token="Bearer x"; other=1; session=%ff',
];

/** Behind the first line break stands the value of every header. */
function handshakeOf(bytes: Uint8Array) {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const end = text.indexOf('\n');
  const query = new URLSearchParams(end === -1 ? text : text.slice(0, end));
  const header = end === -1 ? '' : text.slice(end + 1);
  return {
    param: () => query.get('session_id') ?? '',
    query: (name: string) => query.get(name) ?? undefined,
    queries: (name: string) => query.getAll(name),
    header: () => header,
  };
}

interface Openings {
  chats: Opening[];
  logs: LogOpening;
}

export const upgradeTarget: FuzzTarget = {
  name: 'upgrade requests',
  seeds: SEEDS.map((text) => seedOf(text)),
  read(bytes): Openings {
    const handshake = handshakeOf(bytes);
    return { chats: DIALECTS.map((dialect) => dialect.open(handshake)), logs: logsV1.open(handshake) };
  },
  problem(result) {
    const { chats, logs } = result as Openings;
    if (!(logs.tail >= 0 && logs.tail <= 1_000)) return `a tail of ${logs.tail} lines`;
    if (logs.cursor !== null && !Number.isSafeInteger(logs.cursor)) return `the cursor ${logs.cursor}`;
    for (const chat of chats) {
      const found = openingProblem(chat);
      if (found !== null) return found;
    }
    return null;
  },
};

function openingProblem({ session, room, options, resume, problem }: Opening): string | null {
  if (session !== null && !isClientId(session)) return 'the session is no id';
  if (room !== null && !isClientId(room.id)) return 'the room is no id';
  if (resume.length > 16) return `${resume.length} cursors`;
  if (problem !== null && problem !== 'INVALID_FIELD') return `the problem ${problem}`;
  return TurnOptions.safeParse(options).success ? null : 'options are none';
}
