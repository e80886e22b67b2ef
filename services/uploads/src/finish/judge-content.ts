/** One pass over a file's bytes: size, hash, kind, scan, and the store, all at once. */
import { createHash } from 'node:crypto';
import type { ErrorCode } from '@natter/proto';
import type { Kinds, Scanner, Verdict } from '../ports.ts';
import type { StoreWriter } from '../store/file-store.ts';

export interface Expected {
  name: string;
  size: number;
  /** In lower-case hex; null where the protocol has none. */
  sha256: string | null;
}

export type Judged =
  | { ok: true; sha256: string; type: string; inline: boolean; verdict: Verdict }
  | { ok: false; code: ErrorCode; signature?: string };

/** What all of them say; nothing of the file is kept here but the part in hand. */
export async function judgeContent(
  parts: AsyncIterable<Uint8Array>,
  expected: Expected,
  tools: { kinds: Kinds; scanner: Scanner; writer: StoreWriter },
): Promise<Judged> {
  const hash = createHash('sha256');
  const kind = tools.kinds.judge(expected.name);
  const scan = await tools.scanner.begin();
  let size = 0;
  try {
    for await (const bytes of parts) {
      size += bytes.length;
      if (size > expected.size) return { ok: false, code: 'FILE_SIZE_MISMATCH' };
      hash.update(bytes);
      kind.push(bytes);
      await Promise.all([scan.push(bytes), tools.writer.push(bytes)]);
    }
    if (size !== expected.size) return { ok: false, code: 'FILE_SIZE_MISMATCH' };
    const sha256 = hash.digest('hex');
    if (expected.sha256 !== null && sha256 !== expected.sha256)
      return { ok: false, code: 'CHECKSUM_MISMATCH' };
    const found = await kind.end();
    if (!found.ok) return found;
    const verdict = await scan.end();
    if (verdict.verdict === 'infected')
      return { ok: false, code: 'FILE_INFECTED', signature: verdict.signature };
    return { ok: true, sha256, type: found.type, inline: found.inline, verdict };
  } finally {
    scan.abort();
  }
}
