/** All that is simulated for docs/capacity.md: results/simulation.json. */
import { type Assumptions, assumptions } from '../capacity/assumptions.ts';
import { planFor } from '../capacity/plan.ts';
import { SIZES } from '../capacity/sizes.ts';
import type { UnitCosts } from '../capacity/unit-costs.ts';
import { type CaughtUp, restartBroker } from './broker-restart.ts';
import { fleetOf } from './fleet.ts';
import type { Outcome, Sample } from './outcome.ts';
import { type Parameters, parametersOf } from './parameters.ts';
import { SCENARIOS } from './scenarios.ts';
import { VARIANTS } from './variants.ts';

/** Without its second-by-second series. */
export type Told = Omit<Outcome, 'series'>;

export interface FleetResult {
  sockets: number;
  parameters: Parameters;
  scenarios: Record<string, Told>;
  brokerRestart: CaughtUp;
}

export interface Simulation {
  fleets: FleetResult[];
  /** Of the fleet of a million. */
  variants: { scenario: string; title: string; outcome: Told }[];
  /** Of the fleet of a million, second by second, as points of a chart. */
  curves: Record<string, Sample[]>;
}

/** The fleet of the variants and curves. */
export const SHOWN = 1_000_000;
/** Points of a curve. */
const POINTS = 60;

export function fleetParameters(
  sockets: number,
  costs: UnitCosts,
  given: Assumptions,
  change: Partial<Parameters> = {},
): Parameters {
  return parametersOf(fleetOf(planFor(sockets, costs, given), costs, given), change);
}

export function simulate(
  costs: UnitCosts,
  sizes: readonly number[] = SIZES,
  say = (_line: string) => {},
): Simulation {
  const given = assumptions();
  const curves: Simulation['curves'] = {};
  const fleets = sizes.map((sockets): FleetResult => {
    const parameters = fleetParameters(sockets, costs, given);
    const scenarios: Record<string, Told> = {};
    for (const { name, run } of SCENARIOS) {
      say(`${sockets} sockets, ${name}`);
      const outcome = run(parameters);
      scenarios[name] = told(outcome);
      if (sockets === SHOWN) curves[name] = thinned(outcome.series);
    }
    return { sockets, parameters, scenarios, brokerRestart: restartBroker(parameters) };
  });
  const variants = !sizes.includes(SHOWN)
    ? []
    : VARIANTS.map(({ scenario, title, change }) => {
        say(`${scenario}: ${title}`);
        const found = SCENARIOS.find(({ name }) => name === scenario);
        if (found === undefined) throw new Error(`there is no scenario ${scenario}`);
        const planned = fleetParameters(SHOWN, costs, given);
        return { scenario, title, outcome: told(found.run({ ...planned, ...change(planned) })) };
      });
  return { fleets, variants, curves };
}

export function told({ series: _series, ...rest }: Outcome): Told {
  return rest;
}

/** The first minutes of it, until all is as it was. */
function thinned(series: readonly Sample[]): Sample[] {
  const last = series.findLastIndex(({ connected }) => connected < 1);
  const shown = series.slice(0, last + 2);
  const every = Math.max(1, Math.ceil(shown.length / POINTS));
  const rounded = (value: number) => Number(value.toFixed(4));
  return shown
    .filter((_, index) => index % every === 0 || index === shown.length - 1)
    .map(({ seconds, connected, gateway, auth, broker }) => ({
      seconds,
      connected: rounded(connected),
      gateway: rounded(gateway),
      auth: rounded(auth),
      broker: rounded(broker),
    }));
}
