import { HOSTILE_FILES, HOSTILE_PART_BYTES, type HostileFile, SAMPLE_FILES } from '@natter/testkit';
import { describe, expect, it } from 'vitest';
import { endingOf, KINDS } from '../../src/kinds/kind-table.ts';
import { kinds } from '../../src/kinds/kinds.ts';
import type { Kind } from '../../src/ports.ts';

const NAME_CODES = ['FILE_NAME_INVALID', 'FILE_TYPE_NOT_ALLOWED'];

function nameCode({ name }: HostileFile): string | null {
  const safe = kinds.safeFileName(name);
  if (safe === null) return 'FILE_NAME_INVALID';
  return kinds.allowedName(safe) ? null : 'FILE_TYPE_NOT_ALLOWED';
}

async function kindOf(file: HostileFile): Promise<Kind> {
  const judge = kinds.judge(kinds.safeFileName(file.name) ?? '');
  const bytes = file.bytes();
  for (let at = 0; at < bytes.length; at += HOSTILE_PART_BYTES)
    judge.push(bytes.subarray(at, at + HOSTILE_PART_BYTES));
  return judge.end();
}

describe('hostile files', () => {
  it('are at least 200, each with a title of its own', () => {
    expect(HOSTILE_FILES.length).toBeGreaterThanOrEqual(200);
    expect(new Set(HOSTILE_FILES.map(({ what }) => what)).size).toBe(HOSTILE_FILES.length);
  });

  it('try every kind with a content that it is not', () => {
    const tried = HOSTILE_FILES.filter((file) => file.expect === 'FILE_TYPE_MISMATCH').map(({ name }) =>
      endingOf(name),
    );
    expect([...KINDS.keys()].filter((ending) => !tried.includes(ending))).toEqual([]);
    expect(Object.keys(SAMPLE_FILES).sort()).toEqual([...KINDS.keys()].sort());
  });

  it.each(HOSTILE_FILES.map((file) => [file.what, file] as const))('%s', async (_, file) => {
    const expected = NAME_CODES.includes(file.expect) ? file.expect : null;
    expect(nameCode(file)).toBe(expected);
    if (expected !== null || file.stage !== 'finalize') return;

    if (file.expect === 'FILE_TYPE_MISMATCH') {
      expect(await kindOf(file)).toEqual({ ok: false, code: 'FILE_TYPE_MISMATCH' });
      return;
    }
    // Nothing in it is wrong that could be seen without its sum, its sizes or a scanner.
    const kind = await kindOf(file);
    expect(kind.ok).toBe(true);
    if (file.expect !== 'served-as-attachment') return;
    expect(kinds.safeFileName(file.name)).toBe(file.servedName);
    expect(kind).toMatchObject({
      inline: false,
      type: expect.not.stringMatching(/html|svg|javascript|\bxml$/),
    });
  });
});
