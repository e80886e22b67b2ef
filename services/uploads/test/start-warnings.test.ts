import { expect, it } from 'vitest';
import { neededPayload, warnOfPayload } from '../src/start-warnings.ts';

const PART = 1_048_576;

it("a broker's max_payload is enough with room for what stands beside a part", () => {
  const warned: unknown[] = [];
  const log = { warn: (fields: unknown) => void warned.push(fields) };
  const config = { maxChunkSize: PART, replicas: 1 };
  const needed = neededPayload(config);
  expect(needed).toBeGreaterThan(PART);
  warnOfPayload(needed, config, log);
  expect(warned).toEqual([]);
  warnOfPayload(needed - 1, config, log);
  expect(warned).toEqual([{ maxPayload: needed - 1, needed, maxChunkSize: PART }]);
});

it('with several copies of a stream parts are read in base64, which also fits into the 2 MB of `npm start`', () => {
  const needed = neededPayload({ maxChunkSize: PART, replicas: 3 });
  expect(needed).toBeGreaterThan((PART * 4) / 3);
  expect(needed).toBeLessThan(2 * PART);
});

it('smaller parts make it no smaller: files are stored in messages of 1 MiB', () => {
  expect(neededPayload({ maxChunkSize: 1_024, replicas: 1 })).toBeGreaterThan(PART);
});
