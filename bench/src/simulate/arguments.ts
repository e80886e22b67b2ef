/** The command line of `npm run bench:simulate`. */
import { parseArgs } from 'node:util';
import { PARAMETERS, type ParameterName, type Parameters } from './parameters.ts';

export interface SimulateArguments {
  /** One fleet; null: all of docs/capacity.md, which are then written to the results. */
  sockets: number | null;
  change: Partial<Parameters>;
}

export const USAGE = `npm run bench:simulate                          all fleets; writes bench/results/simulation.json
npm run bench:simulate -- --sockets 200000 [--auth-cores 8] [--backoff-cap-ms 5000] …
                                                one fleet, as planned but for what is set; writes nothing

${Object.entries(PARAMETERS)
  .map(([name, { unit, about, preset }]) => {
    const from = preset === null ? 'from the plan' : `default ${preset}${unit === '' ? '' : ` ${unit}`}`;
    return `  --${optionOf(name).padEnd(20)} ${about} (${from})`;
  })
  .join('\n')}
`;

/** Throws an Error with one sentence for what it doesn't understand. */
export function readSimulateArguments(args: string[]): SimulateArguments {
  const options = Object.fromEntries(
    ['sockets', ...Object.keys(PARAMETERS).map(optionOf)].map((name) => [name, { type: 'string' as const }]),
  );
  const { values } = parseArgs({ args, options });
  const number = (name: string) => {
    const text = values[name];
    if (text === undefined) return null;
    const value = Number(text);
    if (text === '' || !(value >= 0) || !Number.isFinite(value))
      throw new Error(`--${name} ${text} is no number from 0 on.`);
    return value;
  };
  const change: Partial<Parameters> = {};
  for (const name of Object.keys(PARAMETERS) as ParameterName[]) {
    const value = number(optionOf(name));
    if (value !== null) change[name] = value;
  }
  const sockets = number('sockets');
  if (sockets === null && Object.keys(change).length > 0)
    throw new Error('What is set is for one fleet: name it with --sockets.');
  return { sockets, change };
}

/** `authCores` is --auth-cores. */
function optionOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
