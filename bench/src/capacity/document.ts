/** Fills the marked blocks of docs/capacity.md from unit costs and the simulation. */
import { block } from '../report/performance/document.ts';
import { SCENARIOS } from '../simulate/scenarios.ts';
import type { Simulation } from '../simulate/simulation.ts';
import { count, outcomeTable, restartTable } from '../simulate/tables.ts';
import { assumptions } from './assumptions.ts';
import { pictures } from './pictures.ts';
import { assumptionTable, breaksFirst, costTable, demandTable, limitTable, planTable } from './tables.ts';
import { type UnitCostFile, valuesOf } from './unit-costs.ts';

/** Files by their path below docs/: the page with its blocks filled in, and its pictures. */
export function capacityFiles(
  page: string,
  file: UnitCostFile,
  simulation: Simulation,
): Record<string, string> {
  const [costs, given] = [valuesOf(file), assumptions()];
  const blocks: Record<string, string> = {
    workload: assumptionTable('workload'),
    demand: demandTable(costs, given),
    plan: planTable(costs, given),
    breaks: breaksFirst(costs, given),
    limits: limitTable(costs, given),
    storms: storms(simulation),
    restarts: restartTable(
      simulation.fleets.map(({ sockets, brokerRestart }) => [count(sockets), brokerRestart]),
    ),
    variants: variants(simulation),
    costs: `${machineText(file)}\n\n${costTable(file)}`,
    sizing: assumptionTable('sizing'),
    wire: assumptionTable('wire'),
    prices: assumptionTable('prices'),
  };
  const filled = Object.entries(blocks).reduce((text, [name, content]) => block(text, name, content), page);
  const drawn = Object.entries(pictures(simulation)).map(([name, svg]) => [`capacity/${name}`, svg]);
  return { 'capacity.md': filled, ...Object.fromEntries(drawn) };
}

function machineText({ machine }: UnitCostFile): string {
  return `Machine: ${machine.cores} × ${machine.cpu}, Linux ${machine.kernel}.`;
}

/** One table for each scenario: it reads best from small to large. */
function storms({ fleets }: Simulation): string {
  return SCENARIOS.map(({ name, title }) => {
    const rows = fleets.flatMap(({ sockets, scenarios }) => {
      const outcome = scenarios[name];
      return outcome === undefined ? [] : [[count(sockets), outcome] as const];
    });
    return `### ${title}\n\n${outcomeTable(rows)}`;
  }).join('\n\n');
}

function variants({ variants }: Simulation): string {
  const groups = [...new Set(variants.map(({ scenario }) => scenario))];
  return groups
    .map((scenario) => {
      const title = SCENARIOS.find(({ name }) => name === scenario)?.title ?? scenario;
      const rows = variants.filter((variant) => variant.scenario === scenario);
      return `**${title}**\n\n${outcomeTable(rows.map(({ title, outcome }) => [title, outcome]))}`;
    })
    .join('\n\n');
}
