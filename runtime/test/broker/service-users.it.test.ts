import { BUCKETS, STREAMS, SUBJECTS } from '@natter/proto';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bus, createLogger, keepTopology, type ServiceName } from '../../src/index.ts';

/** Of which gateways see nothing. */
const OF_UPLOADS: string[] = [STREAMS.chunks, STREAMS.files];

const log = createLogger('test', 'silent');
let nats: NatsServer;
const buses = {} as Record<ServiceName, Bus>;

const connect = (service: ServiceName, name: string = service) =>
  Bus.connect({ url: nats.url, name, nkeyFile: nats.keyFile(service), connectTimeoutMs: 3_000 }, log);

beforeAll(async () => {
  nats = await startNatsServer({ signIn: true });
  for (const service of ['gateway', 'agent', 'auth'] as const) buses[service] = await connect(service);
  await keepTopology(buses.agent, { replicas: 1, transcriptDays: 1 }, log);
});

afterAll(async () => {
  for (const bus of Object.values(buses)) await bus.close();
  await nats.stop();
});

const REFUSED = { code: 'REFUSED' };
const turn = SUBJECTS.turn('alice=a');
const events = SUBJECTS.runEvents('alice=a', 'r');

describe('the users of the broker', () => {
  it('lets nobody in without a key', async () => {
    const stranger = Bus.connect({ url: nats.url, name: 'gateway', connectTimeoutMs: 3_000 }, log);
    await expect(stranger).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('lets a gateway store turns and what people say, and no events or ends of runs', async () => {
    const { gateway } = buses;
    expect((await gateway.append(turn, '1', { id: '1' })).seq).toBe(1);
    await expect(
      gateway.append(SUBJECTS.conversationLog('alice=a'), '1', { id: '1' }),
    ).resolves.toBeDefined();
    await expect(gateway.append(events, '1', { id: '1' })).rejects.toMatchObject(REFUSED);
    const end = SUBJECTS.runEnd('alice=a', 'r');
    await expect(gateway.append(end, '1', { expectLast: 0 })).rejects.toMatchObject(REFUSED);
  });

  it('lets a gateway change no stream, and read and write no bucket but the positions', async () => {
    const { gateway } = buses;
    const { jsm } = gateway.internals;
    await expect(jsm.streams.delete(STREAMS.turns)).rejects.toThrow(/Permissions Violation/);
    await expect(jsm.streams.purge(STREAMS.messages)).rejects.toThrow(/Permissions Violation/);
    for (const name of [BUCKETS.runs, BUCKETS.rooms, BUCKETS.members]) {
      const bucket = await gateway.bucket(name);
      await expect(bucket.get('alice=a')).rejects.toMatchObject(REFUSED);
      await expect(bucket.create('alice=a', 'x')).rejects.toMatchObject(REFUSED);
    }
    const positions = await gateway.bucket(BUCKETS.positions);
    const revision = await positions.create('alice.=a=1', '{"seq":0}');
    await positions.update('alice.=a=1', '{"seq":1}', revision);
    expect(await positions.get('alice.=a=1')).not.toBeNull();
    expect(await gateway.stored.last(`KV_${BUCKETS.positions}`, '$KV.positions.alice.=a=1')).not.toBeNull();
  });

  it('lets a gateway tell the others what happens live, and hear them', async () => {
    const { gateway } = buses;
    const other = await connect('gateway');
    const heard: string[] = [];
    for (const subject of ['ev.out.>', 'gateway.>'])
      other.subscribe(subject, (message) => heard.push(message.subject));
    await other.streamState(STREAMS.turns);
    const said = [SUBJECTS.liveOut('alice=a'), SUBJECTS.userOut('alice'), SUBJECTS.gatewayAlive];
    for (const subject of said) gateway.publish(subject, '{}');
    await expect.poll(() => heard).toEqual(said);
    // What a run emits, and who is in a room, only the broker says.
    gateway.publish('ev.out.conv.alice=a.run.r', '{}');
    gateway.publish('ev.out.conv.alice=a.member.bob', '{}');
    gateway.publish(SUBJECTS.gatewayAlive, '{}');
    await expect.poll(() => heard).toEqual([...said, SUBJECTS.gatewayAlive]);
    await other.close();
  });

  it('lets a gateway count what users ask, and read where the transcripts begin', async () => {
    const { gateway } = buses;
    await expect(gateway.append(SUBJECTS.userRate('alice'), '')).resolves.toBeDefined();
    await expect(gateway.append(SUBJECTS.sessionRate('alice=a'), '')).resolves.toBeDefined();
    for (const stream of Object.values(STREAMS).filter((name) => !OF_UPLOADS.includes(name))) {
      const { firstSeq, lastSeq } = await gateway.streamState(stream);
      expect(await gateway.stored.from(stream, '>', firstSeq, 10)).toHaveLength(lastSeq + 1 - firstSeq);
    }
  });

  it('lets an agent store events and hear the log, and no turns and no rooms', async () => {
    const { agent } = buses;
    expect((await agent.append(events, '1', { expectLast: 0 })).seq).toBe(1);
    await expect(agent.append(turn, '1', { id: '2' })).rejects.toMatchObject(REFUSED);
    const members = await agent.bucket(BUCKETS.members);
    await expect(members.create('=a=1.alice', 'x')).rejects.toMatchObject(REFUSED);
    const heard: string[] = [];
    agent.subscribe(SUBJECTS.logOut('alice=a'), ({ subject }) => heard.push(subject));
    await agent.append(SUBJECTS.conversationLog('alice=a'), '2', { id: 'heard' });
    await expect.poll(() => heard).toEqual([SUBJECTS.logOut('alice=a')]);
  });

  it('lets the auth service answer questions and keep the rooms, and nothing else', async () => {
    const { auth } = buses;
    await auth.serve('auth', '1.0.0', 'x', [{ name: 'verify', subject: 'auth.verify', handle: () => 'yes' }]);
    for (const name of [BUCKETS.rooms, BUCKETS.members, BUCKETS.positions]) {
      const bucket = await auth.bucket(name);
      const revision = await bucket.create('=b=1.bob', 'one');
      await bucket.update('=b=1.bob', 'two', revision);
      expect(await bucket.get('=b=1.bob')).not.toBeNull();
      expect(await auth.stored.from(`KV_${name}`, `$KV.${name}.=b=1.*`, 1, 10)).toHaveLength(1);
      await bucket.delete('=b=1.bob');
      await bucket.purge('=b=1.*');
      expect(await auth.stored.from(`KV_${name}`, `$KV.${name}.=b=1.*`, 1, 10)).toEqual([]);
    }
    await expect((await auth.bucket(BUCKETS.runs)).get('alice=a')).rejects.toMatchObject(REFUSED);
    await expect(auth.append(turn, '1', { id: '3' })).rejects.toMatchObject(REFUSED);
    expect(new TextDecoder().decode(await buses.gateway.request('auth.verify', '?', 3_000))).toBe('yes');
  });

  it('keeps the answers to one service from the others', async () => {
    const heard: string[] = [];
    buses.agent.subscribe('_INBOX_gateway.>', ({ subject }) => heard.push(subject));
    await expect(buses.agent.append(turn, '1', { id: '4' })).rejects.toMatchObject(REFUSED);
    await buses.gateway.append(turn, '5', { id: '5' });
    expect(heard).toEqual([]);
  });
});
