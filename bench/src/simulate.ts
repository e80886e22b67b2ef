/** `npm run bench:simulate`: reconnect storms and rolling deploys of planned fleets, from measured costs. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { assumptions } from './capacity/assumptions.ts';
import { readUnitCosts, valuesOf } from './capacity/unit-costs.ts';
import { readSimulateArguments, type SimulateArguments, USAGE } from './simulate/arguments.ts';
import { restartBroker } from './simulate/broker-restart.ts';
import { SCENARIOS } from './simulate/scenarios.ts';
import { fleetParameters, SHOWN, type Simulation, simulate, type Told, told } from './simulate/simulation.ts';
import { count, outcomeTable, restartTable } from './simulate/tables.ts';

const RESULTS = resolve(import.meta.dirname, '../results');

const print = (text: string) => void process.stdout.write(`${text}\n`);
const say = (text: string) => void process.stderr.write(`${text}\n`);

const wanted = parse();
const costs = valuesOf(readUnitCosts(resolve(RESULTS, 'unit-costs.json')));
if (wanted.sockets === null) all();
else one(wanted.sockets, wanted.change);

function one(sockets: number, change: SimulateArguments['change']): void {
  const parameters = fleetParameters(sockets, costs, assumptions(), change);
  print(outcomeTable(SCENARIOS.map(({ title, run }) => [title, told(run(parameters))])));
  print(`\n${restartTable([['the broker is restarted', restartBroker(parameters)]])}`);
  print(
    `\n${Object.entries(parameters)
      .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
      .join(', ')}`,
  );
}

function all(): void {
  const simulation: Simulation = simulate(costs, undefined, say);
  for (const { sockets, scenarios, brokerRestart } of simulation.fleets) {
    print(`\n${count(sockets)} connections\n`);
    print(outcomeTable(SCENARIOS.map(({ name, title }) => [title, scenarios[name] as Told])));
    print(`\n${restartTable([['the broker is restarted', brokerRestart]])}`);
  }
  print(`\n${count(SHOWN)} connections, with one thing changed\n`);
  print(
    outcomeTable(
      simulation.variants.map(({ scenario, title, outcome }) => [`${scenario}: ${title}`, outcome]),
    ),
  );
  const file = resolve(RESULTS, 'simulation.json');
  writeFileSync(file, `${JSON.stringify(simulation, null, 1)}\n`);
  say(`written to ${file}`);
}

function parse(): SimulateArguments {
  try {
    return readSimulateArguments(process.argv.slice(2));
  } catch (error) {
    say(`${(error as Error).message}\n${USAGE}`);
    process.exit(1);
  }
}
