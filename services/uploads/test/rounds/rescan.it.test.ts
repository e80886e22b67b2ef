import { SUBJECTS } from '@natter/proto';
import { BusError } from '@natter/runtime';
import type { NatsServer } from '@natter/testkit';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Verdict } from '../../src/ports.ts';
import { rescan } from '../../src/rounds/rescan.ts';
import {
  brokerWithTopology,
  connectAs,
  contentOf,
  everything,
  LOG,
  logOf,
  scannerThatSays,
  type UploadsUnderTest,
  upload,
  uploadsUnderTest,
} from '../uploads-under-test.ts';

let broker: NatsServer;
beforeAll(async () => {
  broker = await brokerWithTopology();
});
afterAll(() => broker.stop());

const CLEAN: Verdict = { verdict: 'clean' };
const DOWN: Verdict = { verdict: 'unknown', reason: 'down' };
const INFECTED: Verdict = { verdict: 'infected', signature: 'Test' };

let nowMs = Date.now();
const now = () => nowMs;

/** A service with a scanner that is down, and looks with one that says something else. */
async function quarantine() {
  const service = await uploadsUnderTest(broker, { now, scanner: scannerThatSays(() => DOWN) });
  const ready: string[] = [];
  const look = (verdict: Verdict, by = service) =>
    rescan(by.kept, {
      ...{ bus: by.bus, log: LOG, now, rescanMs: 30_000, scanner: scannerThatSays(() => verdict) },
      ready: ({ id }) => void ready.push(id),
      count: () => undefined,
    });
  return { service, look, ready };
}

const stateOf = async (service: UploadsUnderTest, id: string) => {
  const reply = await service.ask({ op: 'file', id });
  return reply.ok ? reply.file?.state : reply.code;
};

it('a file that could not be scanned is not served, and no member hears of it', async () => {
  const { service } = await quarantine();
  const file = await upload(service, contentOf(100), { conversation: 'alice=q1' });
  expect(file.state).toBe('quarantined');
  expect(await service.code({ op: 'read', id: file.id, offset: 0, length: 1 })).toBe('FILE_QUARANTINED');
  expect(await logOf(service.bus, 'alice=q1')).toEqual([]);
});

it('it is tried again after 30 s, as often as it takes, and then shared once', async () => {
  const { service, look, ready } = await quarantine();
  const conversation = 'alice=q2';
  const { id } = await upload(service, contentOf(100), { conversation });
  nowMs += 29_000;
  await look(CLEAN);
  expect(await stateOf(service, id)).toBe('quarantined');
  nowMs += 1_000;
  await look(DOWN);
  await look(CLEAN);
  expect(await stateOf(service, id)).toBe('quarantined');
  nowMs += 30_000;
  await look(CLEAN);
  expect(await stateOf(service, id)).toBe('ready');
  expect(ready).toContain(id);
  expect(await logOf(service.bus, conversation)).toHaveLength(1);
  nowMs += 60_000;
  await look(INFECTED);
  expect(await stateOf(service, id)).toBe('ready');
  expect(await logOf(service.bus, conversation)).toHaveLength(1);
});

it('an infected one is gone with everything, its owner and the members are told', async () => {
  const { service, look } = await quarantine();
  const sub = 'infector';
  const conversation = 'infector=q3';
  const before = await everything(service.bus);
  const gateway = await connectAs(broker, 'gateway');
  const told: unknown[] = [];
  gateway.subscribe(SUBJECTS.liveOut(conversation), ({ data }) => {
    told.push(JSON.parse(Buffer.from(data).toString()));
  });
  await gateway.streamState('MESSAGES');
  const { id } = await upload(service, contentOf(100), { sub, conversation });
  nowMs += 30_000;
  await look(INFECTED);
  expect(await stateOf(service, id)).toBe('FILE_NOT_FOUND');
  expect(await service.code({ op: 'status', sub, id })).toBe('FILE_INFECTED');
  const left = (await everything(service.bus)).filter((subject) => !before.includes(subject));
  // The refusal, and the ledger that counts it.
  expect(left).toEqual([`$KV.file_index.owner.${sub}`, `$KV.uploads.${sub}.${id}`]);
  expect(await logOf(service.bus, conversation)).toEqual([]);
  await vi.waitFor(() =>
    expect(told).toMatchObject([{ type: 'file.progress', file: id, status: 'refused' }]),
  );
  await gateway.close();
});

it('of two instances that look at once one scans', async () => {
  const { service, look } = await quarantine();
  const { id } = await upload(service, contentOf(100));
  nowMs += 30_000;
  const claims = await Promise.all([1, 2, 3].map(() => service.kept.scans.claim(id, 60_000)));
  expect(claims.filter(Boolean)).toHaveLength(1);
  // Whoever claimed it died: it is anybody's again.
  nowMs += 60_000;
  await look(CLEAN);
  expect(await stateOf(service, id)).toBe('ready');
});

it('a file that is deleted while it waits is not scanned any more', async () => {
  const { service, look } = await quarantine();
  const { id } = await upload(service, contentOf(100));
  await service.granted({ op: 'delete', id });
  nowMs += 30_000;
  await look(CLEAN);
  expect(await stateOf(service, id)).toBe('FILE_NOT_FOUND');
});

/** Looks once a minute, and says after how many each try came. */
async function triesOf(minutes: number, look: () => Promise<void>, tries: () => number): Promise<number[]> {
  const at: number[] = [];
  for (let minute = 1; minute <= minutes; minute += 1) {
    nowMs += 60_000;
    const before = tries();
    await look();
    if (tries() > before) at.push(minute);
  }
  return at;
}

it.each<[string, Verdict, number[]]>([
  ['is above the limits of the scanner: once an hour', { ...DOWN, fault: 'limits' }, [1, 61, 121]],
  ['the scanner fails at: ever later', { ...DOWN, fault: 'file' }, [1, 2, 3, 5, 9, 17, 33, 65, 125]],
])('a file that %s', async (_name, verdict, minutes) => {
  const { service, look } = await quarantine();
  const { id } = await upload(service, contentOf(100));
  let scans = 0;
  const counting = scannerThatSays(() => {
    scans += 1;
    return verdict;
  });
  const lookOnce = () =>
    rescan(service.kept, {
      ...{ bus: service.bus, log: LOG, now, rescanMs: 30_000, scanner: counting },
      ready: () => undefined,
      count: () => undefined,
    });
  expect(await triesOf(130, lookOnce, () => scans)).toEqual(minutes);
  expect(await stateOf(service, id)).toBe('quarantined');
  nowMs += 3_600_000;
  await look(CLEAN);
  expect(await stateOf(service, id)).toBe('ready');
});

it('one whose bytes can not be read keeps no other from being scanned', async () => {
  const { service, look } = await quarantine();
  const [bad, good] = [await upload(service, contentOf(100)), await upload(service, contentOf(100))];
  const { current } = service.kept.stores;
  const read = current.read.bind(current);
  current.read = async (placement, ...rest) => {
    if (placement.key.startsWith(bad.id)) throw new BusError('REFUSED', 'a broken disk');
    return read(placement, ...rest);
  };
  nowMs += 30_000;
  await look(CLEAN);
  expect([await stateOf(service, bad.id), await stateOf(service, good.id)]).toEqual(['quarantined', 'ready']);
});
