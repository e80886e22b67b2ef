import { packUpload, SUBJECTS, UploadsReply, unpackUpload } from '@natter/proto';
import { BusError, createLogger, Metrics } from '@natter/runtime';
import { expect, it } from 'vitest';
import { endpointMetrics, Load, uploadsEndpoint } from '../src/endpoint.ts';
import type { Kept } from '../src/kept.ts';
import { Refused } from '../src/refused.ts';
import type { Granted } from '../src/uploads.ts';

const ID = '00000000-0000-4000-8000-000000000000';
const ASK = { op: 'file', id: ID } as const;

function endpointThat(answer: () => Promise<{ reply: Granted; bytes?: Uint8Array }>) {
  const load = new Load();
  const endpoint = uploadsEndpoint({
    uploads: { answer },
    opener: { open: async () => ({}) as Kept },
    counters: endpointMetrics(new Metrics('uploads'), load),
    load,
    log: createLogger('test', 'silent'),
  });
  const ask = async (data: Uint8Array) => {
    const message = { subject: SUBJECTS.uploads, data, header: () => undefined, respond: () => undefined };
    return UploadsReply.parse(unpackUpload((await endpoint.handle(message)) as Uint8Array)?.json);
  };
  return { ask, load };
}

it.each([
  ['nothing', new Uint8Array()],
  ['a length that is too long', new Uint8Array([255, 255, 255, 255, 1])],
  ['no JSON', new Uint8Array([0, 0, 0, 1, 64])],
  ['an unknown operation', packUpload({ op: 'rm', id: ID })],
  ['an id that is none', packUpload({ op: 'file', id: '../../etc/passwd' })],
])('refuses %s with INVALID_FIELD', async (_name, data) => {
  const { ask } = endpointThat(async () => ({ reply: { ok: true } }));
  expect(await ask(data)).toEqual({ ok: false, code: 'INVALID_FIELD' });
});

it('answers what a client did wrong with its code alone', async () => {
  const { ask } = endpointThat(() => Promise.reject(new Refused('UPLOAD_INCOMPLETE', { missing: [1, 2] })));
  expect(await ask(packUpload(ASK))).toEqual({ ok: false, code: 'UPLOAD_INCOMPLETE', missing: [1, 2] });
});

it.each([
  [new BusError('UNAVAILABLE', 'a secret of ours'), 'UNAVAILABLE'],
  [new BusError('CONFLICT', 'a secret of ours'), 'UNAVAILABLE'],
  [new BusError('REFUSED', 'a secret of ours'), 'INTERNAL'],
  [new BusError('REFUSED', 'a secret of ours: maximum bytes exceeded'), 'UNAVAILABLE'],
  [new BusError('REFUSED', 'a secret of ours: insufficient storage resources available'), 'UNAVAILABLE'],
  [new TypeError('a secret of ours'), 'INTERNAL'],
])('answers %s with %s and a correlation id, and nothing of the cause', async (error, code) => {
  const { ask } = endpointThat(() => Promise.reject(error));
  const reply = await ask(packUpload(ASK));
  expect(reply).toMatchObject({ ok: false, code, correlationId: expect.any(String) });
  expect(JSON.stringify(reply)).not.toContain('secret');
});

it('takes a bounded number of finalizes, half of it of one user, and others beside them', async () => {
  const { promise, resolve } = Promise.withResolvers<{ reply: Granted }>();
  const { ask, load } = endpointThat(() => promise);
  const finalizeOf = (sub: string) => packUpload({ op: 'finalize', sub, id: ID, sha256: null });
  const answers = Array.from({ length: 4 }, () => ask(finalizeOf('alice')));
  expect(await ask(finalizeOf('alice'))).toEqual({ ok: false, code: 'UNAVAILABLE' });
  answers.push(...Array.from({ length: 4 }, () => ask(finalizeOf('bob'))));
  expect(await ask(finalizeOf('carol'))).toEqual({ ok: false, code: 'UNAVAILABLE' });
  const other = ask(packUpload(ASK));
  resolve({ reply: { ok: true } });
  expect(await other).toEqual({ ok: true });
  await Promise.all(answers);
  expect(load).toMatchObject({ requests: 0, bytes: 0, finalizes: [] });
  expect(await ask(finalizeOf('alice'))).toEqual({ ok: true });
});

it('takes a bounded number of bytes, and counts a read for what it brings', async () => {
  const { promise, resolve } = Promise.withResolvers<{ reply: Granted }>();
  const { ask } = endpointThat(() => promise);
  const read = packUpload({ op: 'read', id: ID, offset: 0, length: 10 });
  const answers = Array.from({ length: 64 }, () => ask(read));
  expect(await ask(read)).toEqual({ ok: false, code: 'UNAVAILABLE' });
  resolve({ reply: { ok: true } });
  expect((await Promise.all(answers)).every((reply) => reply.ok)).toBe(true);
});
