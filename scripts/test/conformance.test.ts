import { describe, expect, it } from 'vitest';
import { REQUIREMENTS } from '../../e2e/requirements/index.ts';
import { conformanceReference } from '../reference/conformance-file.ts';

const page = conformanceReference(
  new Map([['fastchat/eof', ['e2e/test/a.e2e.test.ts', 'proto/test/b.test.ts']]]),
);
const rows = page.split('\n').filter((line) => line.startsWith('| `'));
const rowOf = (id: string) => rows.filter((line) => line.startsWith(`| \`${id}\` |`));

describe('the conformance table', () => {
  it('[docs/conformance] has one row for each requirement', () => {
    expect(Object.keys(REQUIREMENTS).filter((id) => rowOf(id).length !== 1)).toEqual([]);
    expect(rows).toHaveLength(Object.keys(REQUIREMENTS).length);
  });

  it('[docs/conformance] names the statement, its line and the tests that show it', () => {
    expect(rowOf('fastchat/eof')).toEqual([
      '| `fastchat/eof` | After the last frame of an answer comes the literal terminator. | 40 | ' +
        '[a](../../e2e/test/a.e2e.test.ts), [b](../../proto/test/b.test.ts) |',
    ]);
  });

  it('[docs/conformance-004] has the statements of every seed, and tells what has no test yet', () => {
    expect(rowOf('fastchat/accepted')[0]).toMatch(/\| \*open\* \|$/);
    expect(rowOf('logs/frame')[0]).toMatch(/\| 36–42 \| \*open\* \|$/);
    expect(rowOf('files/init')[0]).toMatch(/\| 229–243 \| \*open\* \|$/);
  });
});
