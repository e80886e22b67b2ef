import { expect, it } from 'vitest';
import { RecentLines } from '../../../src/bus/logs/recent-lines.ts';
import { shownLine } from '../../../src/bus/logs/shown-line.ts';

it('keeps lines for those who join within a cap of all that is in them, not of their texts', () => {
  const recent = new RecentLines();
  const { at } = recent.mark();
  const data = Buffer.from(JSON.stringify({ msg: 'short', fields: 'x'.repeat(15_000) }));
  const line = shownLine({ seq: 1, subject: 'log.shop.info.general', timeMs: 0, data });
  for (let count = 0; count < 500; count += 1) {
    recent.add(line, data.byteLength);
    // 71 of them are more than 1 MiB.
    if (count >= 71) expect(recent.since(recent.count - 71)).toBeNull();
  }
  expect(recent.since(at)).toBeNull();
});
