/** Unfinished uploads on a broker that keeps them for seconds; settings know hours only. */
import { ensureTopology } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  connectAs,
  contentOf,
  everything,
  finalizeOf,
  send,
  uploadsUnderTest,
} from '../uploads-under-test.ts';

/** 10.5 s; in days and in nanoseconds without a rest, as the broker wants it. */
const HOURS = 24 / 8_192;

let broker: NatsServer;
beforeAll(async () => {
  broker = await startNatsServer({ signIn: true });
  const agent = await connectAs(broker, 'agent');
  await ensureTopology(agent, { replicas: 1, transcriptDays: 30, uploadExpiryHours: HOURS });
  await agent.close();
});
afterAll(() => broker.stop());

it('[files/expiry] the broker drops an unfinished upload and its parts, and keeps what was finished', async () => {
  const service = await uploadsUnderTest(broker);
  const content = contentOf(500);
  const finished = await send(service, content, 500);
  await service.granted(finalizeOf(finished, content));
  // Each part was stored, or it had been refused.
  const id = await send(service, content, 100);
  const left = async () => (await everything(service.bus)).filter((subject) => subject.includes(id));
  await expect.poll(left, { timeout: 60_000 }).toEqual([]);
  expect(await service.code({ op: 'status', sub: 'alice', id })).toBe('UPLOAD_NOT_FOUND');
  expect(await service.code(finalizeOf(id, content))).toBe('UPLOAD_NOT_FOUND');
  expect(await service.read(finished, 0, 500)).toHaveLength(500);
});
