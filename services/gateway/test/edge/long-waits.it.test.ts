/** uWebSockets has time limits of its own, of 10 s: these must not meet those who are only slow. */
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type BodyWriter, json, type Route } from '../../src/rest/route.ts';
import { bodyOf, numbered, replyTo, startEdge } from './edge-rig.ts';

const FILE = numbered(20 * 1024 * 1024);
/** Its clock has ticks of 4 s. */
const WAIT_MS = 14_000;

let mayRead: PromiseWithResolvers<void>;
let events: BodyWriter;

const routes: Route[] = [
  {
    method: 'GET',
    path: '/file',
    maxBodyBytes: 0,
    handle: () => ({
      status: 200,
      headers: {},
      length: FILE.length,
      stream: (writer) => void writer.write(FILE),
    }),
  },
  {
    method: 'GET',
    path: '/events',
    maxBodyBytes: 0,
    handle: () => ({
      status: 200,
      headers: {},
      length: null,
      stream(writer) {
        events = writer;
        writer.write('x');
      },
    }),
  },
  {
    method: 'PATCH',
    path: '/upload',
    maxBodyBytes: FILE.length,
    streamsBody: true,
    async handle({ pieces }) {
      let size = 0;
      await mayRead.promise;
      for await (const piece of pieces) size += piece.byteLength;
      return json(200, { size });
    },
  },
];

it('a download that stood still, an upload that was held up, and silent events go on after 14 s', async () => {
  mayRead = Promise.withResolvers();
  const rig = await startEdge(routes);
  let second = 0;
  const ticking = setInterval(() => rig.edge.tick(++second * 1_000), 1_000);

  const file = await replyTo(rig.begin('GET', '/file').end());
  const uploading = rig.begin('PATCH', '/upload', { headers: { 'content-length': FILE.length } });
  const uploaded = replyTo(uploading);
  uploading.end(FILE);
  // Its reader was slow once, and there is nothing to send since then.
  const reply = await replyTo(rig.begin('GET', '/events').end());
  let sent = 1;
  while (events.write(FILE.subarray(0, 1_000_000))) sent += 1_000_000;
  sent += 1_000_000;
  const all = Promise.withResolvers<void>();
  let got = 0;
  reply.on('data', (piece: Buffer) => {
    got += piece.length;
    if (got >= sent) all.resolve();
  });
  await all.promise;

  await wait(WAIT_MS);
  mayRead.resolve();
  expect((await bodyOf(file)).equals(FILE)).toBe(true);
  expect(JSON.parse(String(await bodyOf(await uploaded)))).toEqual({ size: FILE.length });
  const ended = new Promise((resolve) => reply.once('end', resolve));
  expect(events.signal.aborted).toBe(false);
  events.write('bye');
  events.end();
  await ended;
  expect(got).toBe(sent + 3);

  clearInterval(ticking);
  await rig.edge.drain(0);
}, 60_000);
