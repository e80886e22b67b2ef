/** Every hostile file over the real wires, with a real clamd behind them: none of them gets anywhere. */
import {
  type Clamd,
  HOSTILE_FILES,
  type HostileFile,
  needs,
  type Stack,
  startClamd,
  startStack,
} from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askFile } from '../src/files-http.ts';
import { inPool } from '../src/in-pool.ts';
import { reportFailures } from '../src/report-failures.ts';
import { openRooms } from '../src/rooms-chat.ts';
import {
  asUpload,
  expectedResult,
  expectHarmless,
  fitsTus,
  isUnfinished,
  type Readers,
} from '../src/upload-hostile.ts';
import { remains } from '../src/upload-remains.ts';
import { cancelByTus, uploadByTus } from '../src/upload-tus.ts';
import { askUpload, type Outcome, uploadFile } from '../src/uploading-client.ts';

const MISSING = needs('clamd');
/** Uploads under way on one wire, each of a user and a connection of its own. */
const AT_ONCE = 6;
/** Of tus, which shares everything behind the gateway with the other wire. */
const EVERY_NTH_BY_TUS = 4;

interface Sent {
  file: HostileFile;
  outcome: Outcome;
  token: string;
}

describe.skipIf(MISSING !== null)('hostile files', () => {
  let stack: Stack;
  let clamd: Clamd;
  let admin: string;
  const overWebSocket = new Map<HostileFile, Sent>();
  const overTus = new Map<HostileFile, Sent>();

  beforeAll(async () => {
    clamd = await startClamd();
    stack = await startStack({
      gateways: 2,
      uploads: 2,
      env: {
        VIRUS_SCAN_ENABLED: 'true',
        NATTER_CLAMD: `tcp://${clamd.address}`,
        WS_RATE_LIMIT_REQUESTS: '100000',
        NATTER_UPLOAD_FRAMES_PER_WINDOW: '100000',
        // A bomb keeps a busy scanner busy.
        NATTER_FINALIZE_TIMEOUT_MS: '120000',
      },
    });
    admin = await stack.token({ sub: 'admin', roles: ['admin'] });
    await Promise.all([sendAllOverWebSocket(), sendManyOverTus()]);
  });
  afterAll(async () => {
    await stack?.stop();
    await clamd?.stop();
  });
  reportFailures(() => stack);

  async function sendAllOverWebSocket(): Promise<void> {
    const senders = await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, index) => {
        const token = await stack.token({ sub: `mallory-${index}` });
        return { token, probe: await openRooms(stack.url(index % 2), token) };
      }),
    );
    await inPool(HOSTILE_FILES, AT_ONCE, async (file) => {
      const sender = senders.pop();
      if (sender === undefined) throw new Error('more uploads than senders');
      // Half of them as the seed has it. Only with a total it is known that nothing more will come.
      const base64 = file.lie !== undefined || HOSTILE_FILES.indexOf(file) % 2 === 0;
      const outcome = await uploadFile(sender.probe, { ...asUpload(file), base64 });
      overWebSocket.set(file, { file, outcome, token: sender.token });
      if (isUnfinished(outcome)) await askUpload(sender.probe, 'cancel', outcome.id ?? '');
      senders.push(sender);
    });
    for (const { probe } of senders) await probe.close();
  }

  async function sendManyOverTus(): Promise<void> {
    const token = await stack.token({ sub: 'mallory-by-tus' });
    const files = HOSTILE_FILES.filter(fitsTus).filter((_, index) => index % EVERY_NTH_BY_TUS === 0);
    await inPool(files, AT_ONCE, async (file) => {
      const outcome = await uploadByTus(stack.httpUrl(1), token, asUpload(file));
      overTus.set(file, { file, outcome, token });
      if (isUnfinished(outcome)) await cancelByTus(stack.httpUrl(), token, outcome.id ?? '');
    });
  }

  const sent = () => [...overWebSocket.values(), ...overTus.values()];
  /** What became of those that meet this, told as `what: result`. */
  const told = (which: (file: HostileFile) => boolean, from = overWebSocket) =>
    [...from.values()]
      .filter(({ file }) => which(file))
      .map(({ file, outcome }) => `${file.what}: ${outcome.result} at ${outcome.step}`)
      .sort();
  const wanted = (which: (file: HostileFile) => boolean) =>
    HOSTILE_FILES.filter(which)
      .map((file) => `${file.what}: ${expectedResult(file)} at ${file.stage}`)
      .sort();

  const KINDS: [string, number, (file: HostileFile) => boolean][] = [
    ['[hostile/names] names that lead elsewhere, hide an ending, or hold a NUL', 130, isName],
    [
      '[hostile/content] contents that are not what their names say',
      100,
      (file) => file.expect === 'FILE_TYPE_MISMATCH',
    ],
    ['[hostile/sizes] sizes that lie, and 51 MB', 10, (file) => /SIZE|LARGE|EMPTY/.test(file.expect)],
    ['[hostile/gaps] gaps between parts', 3, (file) => file.lie?.skipChunk !== undefined],
    ['[hostile/hash] wrong and missing sums', 6, (file) => file.lie?.sha256 !== undefined],
    ['[hostile/svg] scripts in an SVG', 4, ({ what }) => what.startsWith('an SVG')],
    ['[hostile/zip-bomb] bombs', 5, ({ what }) => what.includes('bomb')],
    [
      '[hostile/eicar] EICAR at the start, at the tail, and elsewhere',
      10,
      ({ needsScanner, name }) => needsScanner === true && !/zip|gz|tar/.test(name),
    ],
    [
      '[hostile/eicar-zip] EICAR in archives',
      6,
      ({ needsScanner, name }) => needsScanner === true && /zip|gz|tar/.test(name),
    ],
  ];

  it.each(KINDS)('%s get what they must', (_, least, which) => {
    expect(wanted(which).length).toBeGreaterThanOrEqual(least);
    expect(told(which)).toEqual(wanted(which));
  });

  it('[hostile/codes] each of them has its code, over WebSocket and over tus', () => {
    expect(HOSTILE_FILES.length).toBeGreaterThanOrEqual(200);
    expect(told(() => true)).toEqual(wanted(() => true));
    const byTus = [...overTus.values()];
    expect(byTus.length).toBeGreaterThanOrEqual(80);
    expect(byTus.map(({ file, outcome }) => [file.what, outcome.result])).toEqual(
      byTus.map(({ file }) => [file.what, expectedResult(file)]),
    );
  });

  it('[hostile/never-served] none is ever served: what is no refusal comes as a file to save, as it is', async () => {
    const httpUrls = [stack.httpUrl(0), stack.httpUrl(1)];
    await inPool(sent(), AT_ONCE, async ({ file, outcome, token }) => {
      const readers: Readers = { httpUrls, tokens: [token, admin] };
      await expectHarmless(file, outcome, readers);
    });
  });

  it('nothing is left of those that were refused but their codes', async () => {
    const kept = sent().filter(({ outcome }) => /^(ready|quarantined)$/.test(outcome.result));
    const ids = kept.map(({ outcome }) => outcome.id).sort();
    const found = await remains(stack);
    expect(found.parts).toEqual([]);
    expect([found.files, found.bytes, found.objects]).toEqual([ids, ids, ids]);
    const refused = sent().filter(({ outcome }) => outcome.id !== null && !ids.includes(outcome.id));
    const ended = refused.filter(({ outcome }) => !isUnfinished(outcome));
    expect(found.uploads).toEqual(new Map(ended.map(({ outcome }) => [outcome.id, outcome.result])));

    await inPool(kept, AT_ONCE, async ({ outcome, token }) => {
      const gone = await askFile(stack.httpUrl(), token, outcome.id ?? '', { method: 'DELETE' });
      expect(gone.status).toBe(200);
    });
    const left = await remains(stack);
    expect([left.files, left.bytes, left.objects]).toEqual([[], [], []]);
    expect(left.work.filter((job) => !job.startsWith('text.'))).toEqual([]);
  });
});

function isName({ what }: HostileFile): boolean {
  return /^(no name|a name|two endings|an ending on no list|a name that is made safe)/.test(what);
}
