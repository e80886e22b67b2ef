/** What the figures are measured against; docs/performance.md says each in words. */

export interface Goal {
  /** Id of a measurement. */
  measurement: string;
  atMost?: number;
  atLeast?: number;
}

export const GOALS: readonly Goal[] = [
  { measurement: 'idle.rss', atMost: 5_000 },
  { measurement: 'idle.room-rss', atMost: 5_000 },
  { measurement: 'idle.vs-socketio', atMost: 0.1 },
  { measurement: 'idle.flat', atMost: 1.1 },
  { measurement: 'idle.cpu', atMost: 1 },
  { measurement: 'growth.connection-flat', atMost: 1.1 },
  { measurement: 'growth.room-flat', atMost: 1.1 },
  { measurement: 'connect.distinct', atLeast: 5_000 },
  { measurement: 'connect.p99', atMost: 10 },
  { measurement: 'echo.p50', atMost: 1 },
  { measurement: 'echo.p99', atMost: 5 },
  { measurement: 'echo.ratio-p50', atMost: 2 },
  { measurement: 'echo.ratio-p99', atMost: 2 },
  { measurement: 'latency.p50', atMost: 3 },
  { measurement: 'latency.p99', atMost: 25 },
  { measurement: 'latency.p99-vs-fastapi', atMost: 0.25 },
  { measurement: 'agent.tokens', atLeast: 30_000 },
  { measurement: 'agent.ratio', atLeast: 0.5 },
  ...['10', '100', '1000', '10000'].flatMap((watchers) =>
    [`${watchers}-128`, `${watchers}-1024`].flatMap((what) => [
      { measurement: `fanout.${what}-ratio`, atLeast: 0.8 },
      { measurement: `fanout.${what}-vs-socketio`, atLeast: 5 },
      { measurement: `fanout.${what}-vs-nchan`, atLeast: 1 },
    ]),
  ),
  ...[128, 1_024].flatMap((bytes) => [
    { measurement: `fanout.1000-${bytes}-by-16-ratio`, atLeast: 0.8 },
    { measurement: `fanout.1000-${bytes}-by-16-vs-socketio`, atLeast: 5 },
    { measurement: `fanout.1000-${bytes}-by-16-vs-nchan`, atLeast: 1 },
  ]),
  { measurement: 'logs.deliveries', atLeast: 100_000 },
  { measurement: 'logs.vs-nchan', atLeast: 1 },
  { measurement: 'logs.untold', atMost: 0 },
  { measurement: 'upload.binary', atLeast: 150 },
  { measurement: 'upload.base64', atLeast: 60 },
  { measurement: 'upload.ratio', atLeast: 0.5 },
  { measurement: 'resume-storm.back', atMost: 2 },
  { measurement: 'resume-storm.lost', atMost: 0 },
  { measurement: 'resume-storm.doubled', atMost: 0 },
  { measurement: 'ready.stack', atMost: 3 },
  { measurement: 'ready.gateway', atMost: 0.5 },
  { measurement: 'ready.gateway-rss', atMost: 80 },
  ...['gateway', 'agent', 'auth', 'uploads', 'broker', 'model'].map((part) => ({
    measurement: `faults.${part}-lost`,
    atMost: 0,
  })),
  { measurement: 'faults.ends-other-than-one', atMost: 0 },
  { measurement: 'faults.transcripts-different', atMost: 0 },
  { measurement: 'takeover.p99', atMost: 8 },
  { measurement: 'takeover.wrong', atMost: 0 },
  { measurement: 'fuzz.frames', atLeast: 10_000_000 },
  ...['crashes', 'uncaught', 'out-of-bounds', 'slow', 'socket-faults'].map((what) => ({
    measurement: `fuzz.${what}`,
    atMost: 0,
  })),
];

export type Verdict = 'met' | 'missed' | null;

/** The goal of a measurement and whether the value meets it; null where there is none. */
export function judge(id: string, value: number): { goal: Goal | null; verdict: Verdict } {
  const goal = GOALS.find(({ measurement }) => measurement === id) ?? null;
  if (goal === null) return { goal, verdict: null };
  const met = value <= (goal.atMost ?? Infinity) && value >= (goal.atLeast ?? -Infinity);
  return { goal, verdict: met ? 'met' : 'missed' };
}
