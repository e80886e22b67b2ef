/** Sends hostile files over the wires, and looks what became of them. */
import { HOSTILE_PART_BYTES, type HostileFile } from '@natter/testkit';
import { expect } from 'vitest';
import { askFile } from './files-http.ts';
import { type FileToUpload, type Outcome, PART_BYTES } from './uploading-client.ts';

/** Of whom a file is asked for. */
export interface Readers {
  /** Of several gateways; each asks one of them, in turn. */
  httpUrls: readonly string[];
  /** Who uploaded it, and somebody who may read everything. */
  tokens: readonly string[];
}

/** What a browser could run, whatever its name says. */
const RUNS = /html|svg|javascript|ecmascript|\/xml|\+xml/;

const LARGE_BYTES = 8 * PART_BYTES;

/** Errors that don't end an upload. */
const UNFINISHED = new Set(['UPLOAD_INCOMPLETE', 'CHECKSUM_INVALID']);

/** A hostile file as a client sends it. */
export function asUpload({ name, declaredType, bytes, lie }: HostileFile): FileToUpload {
  const content = bytes();
  const told = {
    ...(lie?.size === undefined ? {} : { size: lie.size }),
    ...(lie?.sha256 === undefined ? {} : { sha256: lie.sha256 }),
    ...(lie?.skipChunk === undefined ? {} : { skip: lie.skipChunk }),
  };
  // Of those that are nothing but large it doesn't matter where they are cut.
  const partBytes = content.length > LARGE_BYTES ? PART_BYTES : HOSTILE_PART_BYTES;
  return { name, type: declaredType, content, partBytes, told };
}

/** What the last answer must be: a code, or the state of a file that harms nobody. */
export function expectedResult({ expect: code, overScannerLimits }: HostileFile): string {
  if (code !== 'served-as-attachment') return code;
  return overScannerLimits ? 'quarantined' : 'ready';
}

/** Whether it could still be finished with what is missing, or another sum: its owner may take it back. */
export function isUnfinished({ id, step, result }: Outcome): boolean {
  return id !== null && (step === 'chunk' || UNFINISHED.has(result));
}

/**
 * Whether tus can say it: no lone surrogates, a header of less than 4 KiB, no sum, no gap. A body above
 * the largest file is refused by its length alone, while the client still sends it.
 */
export function fitsTus({ name, lie, stage }: HostileFile): boolean {
  if (!name.isWellFormed() || name.length > 1_000) return false;
  return lie === undefined || stage === 'init' || (stage === 'chunk' && (lie.size ?? 0) < LARGE_BYTES);
}

/** No byte of it comes, whoever asks; or it comes as a file to be saved, which no browser shows. */
export async function expectHarmless(file: HostileFile, outcome: Outcome, readers: Readers): Promise<void> {
  const { id } = outcome;
  if (id === null) return;
  for (const [index, token] of readers.tokens.entries()) {
    const url = readers.httpUrls[index % readers.httpUrls.length] ?? '';
    const served = await askFile(url, token, id);
    const { status, code } = served;
    if (outcome.result === 'quarantined')
      expect([status, code], file.what).toEqual([423, 'FILE_QUARANTINED']);
    else if (outcome.result !== 'ready') expect([status, code], file.what).toEqual([404, 'FILE_NOT_FOUND']);
    else {
      expect(status, file.what).toBe(200);
      expectSafe(file, served.headers);
      expect(served.bytes.equals(file.bytes()), file.what).toBe(true);
    }
  }
}

function expectSafe({ what, servedName = '' }: HostileFile, headers: Headers): void {
  const disposition = headers.get('content-disposition') ?? '';
  const [, encoded = ''] = /filename\*=UTF-8''(\S+)$/.exec(disposition) ?? [];
  expect(disposition, what).toMatch(/^attachment; filename="[^"%\\]*"; filename\*=UTF-8''[\w.!#$&+^`|~%-]+$/);
  expect(decodeURIComponent(encoded), what).toBe(servedName);
  expect(headers.get('content-type'), what).not.toMatch(RUNS);
  expect(headers.get('x-content-type-options'), what).toBe('nosniff');
  expect(headers.get('content-security-policy'), what).toBe("sandbox; default-src 'none'");
}
