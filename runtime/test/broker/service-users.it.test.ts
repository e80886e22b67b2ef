import { STREAMS, SUBJECTS } from '@natter/proto';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bus, createLogger, keepTopology, type ServiceName } from '../../src/index.ts';

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

const turn = SUBJECTS.turn('alice=a');
const events = SUBJECTS.runEvents('alice=a', 'r');

describe('the users of the broker', () => {
  it('lets nobody in without a key', async () => {
    const stranger = Bus.connect({ url: nats.url, name: 'gateway', connectTimeoutMs: 3_000 }, log);
    await expect(stranger).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('lets a gateway store turns, and no events or messages', async () => {
    const { gateway } = buses;
    expect((await gateway.append(turn, '1', { id: '1' })).seq).toBe(1);
    await expect(gateway.append(events, '1', { id: '1' })).rejects.toMatchObject({ code: 'REFUSED' });
    const message = SUBJECTS.message('alice=a', 'r', 'assistant');
    await expect(gateway.append(message, '1', { id: '1' })).rejects.toMatchObject({ code: 'REFUSED' });
  });

  it('lets a gateway change no stream and read no bucket', async () => {
    const { jsm } = buses.gateway.internals;
    await expect(jsm.streams.delete(STREAMS.turns)).rejects.toThrow(/Permissions Violation/);
    await expect(jsm.streams.purge(STREAMS.messages)).rejects.toThrow(/Permissions Violation/);
    const runs = await buses.gateway.bucket('runs');
    await expect(runs.get('alice=a')).rejects.toMatchObject({ code: 'REFUSED' });
  });

  it('lets an agent store events, and no turns', async () => {
    const { agent } = buses;
    expect((await agent.append(events, '1', { expectLast: 0 })).seq).toBe(1);
    await expect(agent.append(turn, '1', { id: '2' })).rejects.toMatchObject({ code: 'REFUSED' });
  });

  it('lets the auth service answer questions and nothing else', async () => {
    await buses.auth.serve('auth', '1.0.0', 'x', [
      { name: 'verify', subject: 'auth.verify', handle: () => 'yes' },
    ]);
    // The broker has seen the subscription once the auth service has had an answer of its own.
    await expect(buses.auth.append(turn, '1', { id: '3' })).rejects.toMatchObject({ code: 'REFUSED' });
    expect(new TextDecoder().decode(await buses.gateway.request('auth.verify', '?', 3_000))).toBe('yes');
  });

  it('keeps the answers to one service from the others', async () => {
    const heard: string[] = [];
    buses.agent.subscribe('_INBOX_gateway.>', ({ subject }) => heard.push(subject));
    await expect(buses.agent.append(turn, '1', { id: '4' })).rejects.toMatchObject({ code: 'REFUSED' });
    await buses.gateway.append(turn, '5', { id: '5' });
    expect(heard).toEqual([]);
  });
});
