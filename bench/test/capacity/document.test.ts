import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { capacityFiles } from '../../src/capacity/document.ts';
import { readUnitCosts, valuesOf } from '../../src/capacity/unit-costs.ts';
import { type Simulation, simulate } from '../../src/simulate/simulation.ts';

const results = join(import.meta.dirname, '../../results');
const docs = join(import.meta.dirname, '../../../docs');
const file = readUnitCosts(join(results, 'unit-costs.json'));
const simulation = JSON.parse(readFileSync(join(results, 'simulation.json'), 'utf8')) as Simulation;

describe('docs/capacity.md', () => {
  it('says what the model says: else run npm run bench:capacity', () => {
    const page = readFileSync(join(docs, 'capacity.md'), 'utf8');
    for (const [name, content] of Object.entries(capacityFiles(page, file, simulation)))
      expect([name, content]).toEqual([name, readFileSync(join(docs, name), 'utf8')]);
  });

  it('shows a simulation of the same unit costs: else run npm run bench:simulate', () => {
    const smallest = simulation.fleets[0]?.sockets as number;
    // JSON and back, as the file was.
    const again = JSON.parse(JSON.stringify(simulate(valuesOf(file), [smallest]).fleets[0]));
    expect(again).toEqual(simulation.fleets[0]);
  });
});
