/** What a simulation starts from: a fleet, its costs, its clients. Every one can be set by hand. */

interface Parameter {
  unit: string;
  /** What it is, and where its default comes from. */
  about: string;
  /** Null: it comes from the measured costs, or from the fleet. */
  preset: number | null;
}

const measured = (unit: string, about: string): Parameter => ({ unit, about, preset: null });
const assumed = (preset: number, unit: string, about: string): Parameter => ({ unit, about, preset });

/** By name; `--gateway-cores 4` sets `gatewayCores`. */
export const PARAMETERS = {
  gateways: measured('', 'gateway pods of the fleet'),
  connections: measured('', 'connections of each gateway before it happens'),
  gatewayCores: measured('', 'cores of a gateway pod, one process on each'),
  authCores: measured('', 'cores of all auth pods'),
  brokerCores: measured('', 'cores of all brokers that serve requests'),
  coreSpeed: assumed(1, '×', 'speed of a core, the measured one is 1'),
  gatewayBackground: measured('', 'share of gateway cores that other work takes meanwhile'),
  authBackground: measured('', 'the same of auth'),
  brokerBackground: measured('', 'the same of brokers'),
  zones: measured('', 'zones over which each tier is spread evenly'),

  connectMicros: measured('µs', 'gateway CPU from the upgrade until a token is accepted'),
  resumeMicros: measured('µs', 'gateway CPU for what follows: reads what was missed, and sends it'),
  authMicros: measured(
    'µs',
    'auth CPU for one that comes back: its token, and whether it may be in its room',
  ),
  brokerMicros: measured('µs', 'broker CPU for one that comes back'),
  brokerMessages: assumed(14, '', 'messages through the broker for one that comes back, counted in the code'),
  catchUpMicros: measured('µs', 'broker CPU to look after one conversation when the broker is back'),

  roundTripMs: assumed(60, 'ms', 'from a client’s try until the gateway has its upgrade (TCP, TLS)'),
  busRoundTripMs: assumed(1, 'ms', 'between services and broker, there and back'),
  timeoutMs: assumed(10_000, 'ms', 'a client gives a try up after this long'),
  backoffBaseMs: assumed(1_000, 'ms', 'bound of the first wait; it doubles with each failure'),
  backoffCapMs: assumed(30_000, 'ms', 'the bound grows no further'),
  noticeMs: assumed(30_000, 'ms', 'longest until a client notices that its gateway is silent (a lost zone)'),

  drainMs: assumed(
    20_000,
    'ms',
    'NATTER_DRAIN_MS: closing its connections takes a gateway at most this long',
  ),
  closeEveryMs: assumed(2, 'ms', 'a gateway process closes one connection in this long (CLOSE_EVERY_MS)'),
  restartMs: assumed(15_000, 'ms', 'until a new pod takes connections: scheduling, image, start'),
  settleMs: assumed(0, 'ms', 'pause of a rolling deploy between a ready gateway and the next'),
  surge: assumed(1, '', 'gateways that a rolling deploy replaces at once'),
  connectionLimit: assumed(50_000, '', 'WEBSOCKET_MAX_CONNECTIONS; one more is refused'),
  pendingLimit: assumed(0, '', 'tries that a gateway takes up at once, one more is refused; 0: no limit'),
  authLimit: assumed(
    2_000,
    '',
    'requests that wait at each core of auth (MAX_UNDER_WAY), one more is refused; 0: no limit',
  ),
  refusalMicros: assumed(30, 'µs', 'CPU of auth or gateway to refuse one (not measured)'),
  leastConnections: assumed(0, '', 'balancer: 1 takes the emptier of two gateways, 0 any'),
  brokerDownMs: assumed(
    5_000,
    'ms',
    'until the broker serves again: a restart, or an election (not measured)',
  ),
  watched: measured('', 'conversations that each gateway watches'),
  repairsAtOnce: assumed(16, '', 'conversations that a gateway looks after at once (REPAIRS_AT_ONCE)'),

  seed: assumed(1, '', 'of all that is left to chance'),
} as const satisfies Record<string, Parameter>;

export type ParameterName = keyof typeof PARAMETERS;
export type Parameters = Record<ParameterName, number>;

/** Presets, then what was measured, then what is set by hand; fails on one that nobody gave. */
export function parametersOf(...given: readonly Partial<Parameters>[]): Parameters {
  const all = Object.assign({}, ...given) as Partial<Parameters>;
  const entries = Object.entries(PARAMETERS).map(([name, { preset }]) => {
    const value = all[name as ParameterName] ?? preset;
    if (value === null) throw new Error(`${name} is neither measured nor set`);
    if (!(value >= 0) || !Number.isFinite(value)) throw new Error(`${name} is ${value}`);
    return [name, value];
  });
  return Object.fromEntries(entries) as Parameters;
}

/** How long a gateway pod closes its connections; its processes do so side by side. */
export function drainTimeMs({ drainMs, closeEveryMs, connections, gatewayCores }: Parameters): number {
  return Math.min(drainMs, (closeEveryMs * connections) / Math.max(1, gatewayCores));
}
