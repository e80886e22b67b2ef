import { BusError, type Logger } from '@natter/runtime';
import { expect, it } from 'vitest';
import { logUploadFailure } from '../../src/session/upload-failures.ts';

const AWAY = new BusError('UNAVAILABLE', 'nobody serves uploads');

function recorded() {
  const lines: [string, unknown][] = [];
  const record = (level: string) => (fields: { more?: number }) => void lines.push([level, fields.more]);
  const log = { warn: record('warn'), error: record('error') } as unknown as Logger;
  return { lines, log };
}

it('warns once a second while the broker is away, and counts the rest', () => {
  const { lines, log } = recorded();
  for (const atMs of [1_000, 1_001, 1_999, 2_000, 3_500]) logUploadFailure(log, atMs, AWAY, 'chunk');
  expect(lines).toEqual([
    ['warn', 0],
    ['warn', 2],
    ['warn', 0],
  ]);
});

it('is an error each time where the fault is ours', () => {
  const { lines, log } = recorded();
  for (const err of [new TypeError('a mistake'), new BusError('REFUSED', 'no')]) {
    logUploadFailure(log, 1_000, err, 'init');
    logUploadFailure(log, 1_001, err, 'init');
  }
  expect(lines.map(([level]) => level)).toEqual(['error', 'error', 'error', 'error']);
});
