/** What nobody has measured: how people use it, how full machines may be, what machines cost. */

interface Assumption {
  value: number;
  unit: string;
  about: string;
}

const given = (value: number, unit: string, about: string): Assumption => ({ value, unit, about });

/** Of the busiest hour. */
export const WORKLOAD = {
  questionsPerHour: given(
    2,
    '/h',
    'questions to the AI for each connection; nine of ten say nothing, the tenth asks 20',
  ),
  tokensPerAnswer: given(300, '', 'tokens of an answer'),
  tokensPerSecond: given(40, '/s', 'tokens a second of one answer'),
  tokensPerBatch: given(
    2,
    '',
    'tokens that agents merge into a batch; 3.8 were measured under full load, 1 when quiet',
  ),
  devices: given(1.5, '', 'connections of a person, all of which watch the conversation'),
  inRooms: given(0.3, '', 'share of connections that are in a room'),
  roomSize: given(20, '', 'connections in a room'),
  roomMessagesPerHour: given(4, '/h', 'messages to a room for each connection in it'),
  questionsInRooms: given(0.1, '', 'share of questions that are asked in rooms'),
  sessionMinutes: given(30, 'min', 'a connection lasts'),
  resuming: given(0.5, '', 'share of new connections that come with cursors'),
  uploadsPerHour: given(0.02, '/h', 'uploads for each connection'),
  uploadMb: given(2, 'MB', 'size of one'),
  questionBytes: given(200, 'B', 'text of a question'),
  conversationsPerDay: given(2, '/day', 'conversations that are begun for each connection'),
  busyHoursPerDay: given(8, 'h', 'the busiest hour times this is a day’s work'),
} as const satisfies Record<string, Assumption>;

export const SIZING = {
  utilisation: given(0.5, '', 'share of a core that may be busy in the busiest hour'),
  brokerUtilisation: given(0.4, '', 'the same of brokers, whose latency everybody has'),
  streamUtilisation: given(0.5, '', 'share of the rate of one stream that may be used'),
  zones: given(3, '', 'zones; what is left of each tier after one is lost carries all'),
  stormSeconds: given(60, 's', 'within which all who lost their zone shall be back'),
  socketsPerCore: given(10_000, '', 'connections of a gateway process at most'),
  podCores: given(2, '', 'cores of a gateway, agent or uploads pod'),
  agentPodRuns: given(
    512,
    '',
    'answers at once in an agent pod (256 for each core, NATTER_AGENT_CONCURRENCY)',
  ),
  brokerNodeCores: given(8, '', 'cores of a broker node'),
  replicas: given(3, '', 'copies of each stream (R3)'),
  replicaCost: given(3, '×', 'CPU of a stored message with R3, over R1 (not measured)'),
  replicaSlowdown: given(2, '×', 'by which a stream with R3 is slower (not measured)'),
  routeCost: given(
    1.5,
    '×',
    'CPU of a message in a cluster, over one broker: half of all cross nodes (not measured)',
  ),
  askMicros: given(50, 'µs', 'gateway CPU to answer who of a room is there (not measured)'),
  processBytes: given(150_000_000, 'B', 'memory of a process of agent, auth or uploads'),
  brokerBaseBytes: given(500_000_000, 'B', 'memory of a broker node without streams'),
} as const satisfies Record<string, Assumption>;

export const WIRE = {
  frameBytes: given(260, 'B', 'a frame with a token, as rooms-v1 and chat-v1 have it'),
  batchBytes: given(340, 'B', 'a batch on the bus, subject and headers included'),
  entryBytes: given(400, 'B', 'head of a stored message: subject, headers, index'),
  overheadBytes: given(110, 'B', 'of a packet: Ethernet, IP, TCP, TLS, WebSocket'),
  pingsPerMinute: given(2, '/min', 'ping and pong of an idle connection'),
  claimBytes: given(350, 'B', 'what the bucket runs keeps of a conversation (not measured)'),
  tokenChars: given(4.5, 'B', 'text of a token'),
} as const satisfies Record<string, Assumption>;

/** Assumed; no vendor's prices. Change them here and run `npm run bench:capacity`. */
export const PRICES = {
  cpuHour: given(0.04, '/h', 'a vCPU for an hour'),
  gbHour: given(0.005, '/h', 'a GB of memory for an hour'),
  diskGbMonth: given(0.1, '/month', 'a GB of SSD for a month'),
  egressTb: given(60, '/TB', 'a TB out to the internet'),
  hoursPerMonth: given(730, 'h', 'hours of a month'),
  loadFactor: given(0.4, '', 'the mean hour over the busiest, for what is paid by traffic'),
} as const satisfies Record<string, Assumption>;

export const ASSUMPTIONS = { ...WORKLOAD, ...SIZING, ...WIRE, ...PRICES };
export type Assumptions = Record<keyof typeof ASSUMPTIONS, number>;

export function assumptions(changes: Partial<Assumptions> = {}): Assumptions {
  const presets = Object.entries(ASSUMPTIONS).map(([name, { value }]) => [name, value]);
  return { ...(Object.fromEntries(presets) as Assumptions), ...changes };
}
