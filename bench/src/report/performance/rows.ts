/** The table of goals: which measurements answer a goal, and what stands beside them. */

export interface Part {
  label: string;
  /** Id of a measurement. */
  id: string;
}

export interface GoalRow {
  figure: string;
  goal: string;
  parts: readonly Part[];
  /** Of the same run: peers and yardsticks, and what the number is made of. */
  beside: readonly Part[];
}

const WATCHERS = [10, 100, 1_000, 10_000] as const;
const BYTES = [128, 1_024] as const;

/** Each size of room and text once, with the end of an id. */
function rooms(label: string, end: string): Part[] {
  return WATCHERS.flatMap((watchers) =>
    BYTES.map((bytes) => ({
      label: `${watchers.toLocaleString('en')} × ${bytes === 128 ? '128 B' : '1 KB'}${label}`,
      id: `fanout.${watchers}-${bytes}${end}`,
    })),
  );
}

/** Messages that come faster than they are sent. */
function merged(end: string): Part[] {
  return BYTES.map((bytes) => ({
    label: `1,000 × ${bytes === 128 ? '128 B' : '1 KB'}, 16 at once`,
    id: `fanout.1000-${bytes}-by-16${end}`,
  }));
}

export const GOAL_ROWS: readonly GoalRow[] = [
  {
    figure: 'bytes per idle authenticated connection',
    goal: '≤ 5 KB RSS; ≤ 0.1× Socket.IO; flat',
    parts: [
      { label: 'chat-v1, own conversation', id: 'idle.rss' },
      { label: 'rooms-v1, in a room of ten', id: 'idle.room-rss' },
      { label: 'flat', id: 'idle.flat' },
      { label: 'flat from 1 to 16 times as many', id: 'growth.connection-flat' },
      { label: 'the same, each in a room', id: 'growth.room-flat' },
      { label: 'in rooms of ten ÷ Socket.IO', id: 'idle.vs-socketio' },
    ],
    beside: [
      { label: 'chat-v1, garbage collected', id: 'idle.collected' },
      { label: 'raw uWebSockets, no token, no room', id: 'idle.raw-rss' },
      { label: 'Socket.IO, in rooms of ten', id: 'idle.socketio-rss' },
      { label: 'ws, in rooms of ten', id: 'idle.ws-rss' },
      { label: 'rooms-v1, 10,000 rooms of one', id: 'idle.rooms-of-one-rss' },
    ],
  },
  {
    figure: 'idle CPU of a connection',
    goal: '≤ 1 µs/s',
    parts: [{ label: '', id: 'idle.cpu' }],
    beside: [{ label: 'raw uWebSockets', id: 'idle.raw-cpu' }],
  },
  {
    figure: 'connect + JWT',
    goal: '≥ 5,000 per core second; p99 ≤ 10 ms',
    parts: [
      { label: 'distinct tokens', id: 'connect.distinct' },
      { label: 'p99', id: 'connect.p99' },
    ],
    beside: [
      { label: 'one token', id: 'connect.reused' },
      { label: 'one token ÷ raw', id: 'connect.ratio' },
      { label: 'CPU of auth for each', id: 'connect.auth-distinct' },
      { label: 'raw upgrades', id: 'connect.raw' },
      { label: 'Socket.IO', id: 'connect.socketio' },
      { label: 'ws', id: 'connect.ws' },
    ],
  },
  {
    figure: 'echo through the broker',
    goal: 'p50 ≤ 1 ms, p99 ≤ 5 ms; ≤ 2× (raw uWebSockets echo + NATS request)',
    parts: [
      { label: 'p50', id: 'echo.p50' },
      { label: 'p99', id: 'echo.p99' },
      { label: 'p50 ÷ raw', id: 'echo.ratio-p50' },
      { label: 'p99 ÷ raw', id: 'echo.ratio-p99' },
    ],
    beside: [
      { label: 'raw p50', id: 'echo.raw-p50' },
      { label: 'raw p99', id: 'echo.raw-p99' },
      { label: 'CPU ÷ raw', id: 'echo.ratio-cpu' },
    ],
  },
  {
    figure: 'room fan-out ÷ raw uWebSockets publish, for each core second of the gateway',
    goal: '≥ 0.8×',
    parts: [...rooms('', '-ratio'), ...merged('-ratio')],
    beside: [],
  },
  {
    figure: 'room fan-out ÷ Socket.IO + Redis, brokers not counted',
    goal: '≥ 5×',
    parts: [...rooms('', '-vs-socketio'), ...merged('-vs-socketio')],
    beside: rooms(' ÷ ws', '-vs-ws'),
  },
  {
    figure: 'room fan-out ÷ nchan, our broker not counted',
    goal: '≥ 1×',
    parts: [...rooms('', '-vs-nchan'), ...merged('-vs-nchan')],
    beside: [...rooms(' ÷ nats-server', '-vs-nats-ws'), ...rooms(' ÷ FastAPI', '-vs-fastapi')],
  },
  {
    figure: 'token latency added, 200 streams × 50 tokens/s',
    goal: 'p50 ≤ 3 ms, p99 ≤ 25 ms; p99 ≤ 0.25× FastAPI',
    parts: [
      { label: 'p50', id: 'latency.p50' },
      { label: 'p99', id: 'latency.p99' },
      { label: 'p99 ÷ FastAPI', id: 'latency.p99-vs-fastapi' },
    ],
    beside: [
      { label: 'in turn with FastAPI p99', id: 'latency.p99-in-turn' },
      { label: 'FastAPI p99', id: 'latency.p99-fastapi' },
      { label: '100 streams p50', id: 'latency.half-p50' },
      { label: '100 streams p99', id: 'latency.half-p99' },
      { label: '50 streams p50', id: 'latency.quarter-p50' },
      { label: '50 streams p99', id: 'latency.quarter-p99' },
      { label: '50 streams p99 ÷ FastAPI', id: 'latency.quarter-p99-vs-fastapi' },
    ],
  },
  {
    figure: 'agent tokens per core second',
    goal: '≥ 30k; ≥ 0.5× an SDK loop that only parses',
    parts: [
      { label: '', id: 'agent.tokens' },
      { label: '÷ SDK loop', id: 'agent.ratio' },
    ],
    beside: [
      { label: 'SDK loop', id: 'agent.sdk-tokens' },
      { label: 'CPU of a token in runs of 50 tokens/s, 16 × the load', id: 'growth.token-agent-16' },
    ],
  },
  {
    figure: 'log lines, 100 WS + 100 SSE readers, 1 stalled',
    goal: '≥ 100k deliveries per core second, no silent loss',
    parts: [
      { label: 'in bursts', id: 'logs.deliveries' },
      { label: 'in bursts ÷ nchan', id: 'logs.vs-nchan' },
      { label: 'lost untold', id: 'logs.untold' },
    ],
    beside: [
      { label: 'nchan, in bursts', id: 'logs.nchan' },
      { label: 'one line at a time', id: 'logs.single' },
      { label: 'one line at a time ÷ nchan', id: 'logs.single-vs-nchan' },
    ],
  },
  {
    figure: 'upload',
    goal: '≥ 150 MB/s binary, ≥ 60 MB/s base64 per core; ≥ 0.5× (uWebSockets + SHA-256 + write)',
    parts: [
      { label: 'binary', id: 'upload.binary' },
      { label: 'base64', id: 'upload.base64' },
      { label: '÷ raw', id: 'upload.ratio' },
    ],
    beside: [{ label: 'raw', id: 'upload.raw' }],
  },
  {
    figure: 'resume storm: gateway killed, 5k connections, 200 live runs',
    goal: 'all back ≤ 2 s after restart, nothing lost or doubled',
    parts: [
      { label: 'all back', id: 'resume-storm.back' },
      { label: 'lost', id: 'resume-storm.lost' },
      { label: 'doubled', id: 'resume-storm.doubled' },
    ],
    beside: [
      { label: 'half back', id: 'resume-storm.back-p50' },
      { label: 'gateway CPU for each', id: 'resume-storm.cpu-gateway' },
    ],
  },
  {
    figure: 'ready',
    goal: 'stack ≤ 3 s from `npm start`; gateway ≤ 0.5 s, ≤ 80 MB',
    parts: [
      { label: 'stack', id: 'ready.stack' },
      { label: 'gateway', id: 'ready.gateway' },
      { label: 'gateway RSS', id: 'ready.gateway-rss' },
    ],
    beside: [
      { label: 'first start of the stack, nothing compiled', id: 'ready.first' },
      { label: 'gateway PSS', id: 'ready.gateway-pss' },
    ],
  },
  {
    figure: 'acknowledged messages lost, kill -9 of each part under load',
    goal: '0 in 1,000',
    parts: ['gateway', 'agent', 'auth', 'uploads', 'broker', 'model'].map((part) => ({
      label: part === 'model' ? 'model fails, breaks off, is slow' : `${part} killed`,
      id: `faults.${part}-lost`,
    })),
    beside: ['gateway', 'agent', 'auth', 'uploads', 'broker', 'model'].map((part) => ({
      label: `acknowledged, ${part}`,
      id: `faults.${part}-acked`,
    })),
  },
  {
    figure: 'terminal events per run under every fault',
    goal: 'exactly 1',
    parts: [{ label: 'runs with another number', id: 'faults.ends-other-than-one' }],
    beside: [{ label: 'runs', id: 'faults.runs' }],
  },
  {
    figure: 'visible transcript under faults, with cursors',
    goal: 'byte-equal, no gap, no double',
    parts: [{ label: 'clients that saw another', id: 'faults.transcripts-different' }],
    beside: [{ label: 'clients', id: 'faults.clients' }],
  },
  {
    figure: 'agent killed mid-run',
    goal: 'taken over p99 ≤ 8 s',
    parts: [
      { label: 'p99', id: 'takeover.p99' },
      { label: 'runs that ended otherwise than whole and once', id: 'takeover.wrong' },
    ],
    beside: [
      { label: 'p50', id: 'takeover.p50' },
      { label: 'most', id: 'takeover.max' },
    ],
  },
  {
    figure: 'frames fuzzed per dialect',
    goal: '10 M, 0 crashes, 0 uncaught',
    parts: [
      { label: 'frames, of the dialect with the fewest', id: 'fuzz.frames' },
      { label: 'crashes', id: 'fuzz.crashes' },
      { label: 'uncaught', id: 'fuzz.uncaught' },
      { label: 'results out of bounds', id: 'fuzz.out-of-bounds' },
      { label: 'inputs that took too long', id: 'fuzz.slow' },
      { label: 'faults of a whole gateway over sockets', id: 'fuzz.socket-faults' },
    ],
    beside: [],
  },
];
