/**
 * Secrets come out nowhere: canaries in every place where a secret may be, and a look at all output.
 *
 * Everything is logged and shipped at level trace. Looked at are standard output of all services, what
 * LOGS holds, what readers of logs get, metrics, and what clients are answered.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SUBJECTS } from '@natter/proto';
import { Bus, createLogger, type ServiceName } from '@natter/runtime';
import { ServiceProcess } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  brokenFrames,
  brokenRequests,
  httpDoors,
  logDoors,
  masterDoors,
  personDoors,
  type SocketDoor,
} from '../src/credential-doors.ts';
import { DIRECT, expectNoLeak, expectSaid } from '../src/leaks.ts';
import { reportFailures } from '../src/report-failures.ts';
import { secretLines } from '../src/secret-lines.ts';
import { SecretStack } from '../src/secret-stack.ts';

const ROOT = join(import.meta.dirname, '../..');

let rig: SecretStack;
beforeAll(async () => {
  rig = await SecretStack.start();
});
afterAll(() => rig?.stop());
reportFailures(() => rig?.stack);

const plant = (place: string) => rig.canaries.plant(place);
const openAll = (doors: SocketDoor[]) => Promise.all(doors.map((door) => rig.spy.socket(door)));

/** One after the other: a retry is the same request again. */
async function askAll(doors: ReturnType<typeof httpDoors>): Promise<void> {
  for (const door of doors) await rig.spy.http(door);
}

describe('no output has', () => {
  it('[secrets/settings] the secrets of the settings, when all goes well', async () => {
    const { secrets } = rig;
    await openAll([...masterDoors(secrets.MASTER_TOKEN), ...logDoors(secrets.LOGS_API_KEY)]);
    const master = { 'master-token': secrets.MASTER_TOKEN };
    const [client, refresh] = await rig.clientTokens('new?client_id=a-client', master);
    await openAll(personDoors(client));
    await rig.clientTokens(`refresh?refresh_token=${refresh}`);
    await openAll(personDoors(rig.sign('token of a backend', secrets.NATTER_JWT_SECRET, { sub: 'bob' })));
    expect(await rig.ask('a question')).toBe(200);
    expectSaid(rig, 'keys are loaded', '"msg":"model"', 'run ended', '"level":"debug"');
    await expectNoLeak(rig);
  });

  it('[secrets/tokens] good tokens and keys, wherever they are shown', async () => {
    const alice = await rig.token({ sub: 'alice' });
    await openAll([...personDoors(alice), ...logDoors(rig.logsKey)]);
    await askAll([...httpDoors(alice), ...httpDoors(rig.logsKey)]);
    const headers = { authorization: `Bearer ${alice}` };
    const issued = await fetch(`${rig.stack.httpUrl()}/api/v1/ws/token`, { method: 'POST', headers });
    const { token } = (await issued.json()) as { token: string };
    await openAll(personDoors(rig.canaries.plantText('websocket token', token)));
    const metadata = `filename ${Buffer.from('a.txt').toString('base64')}`;
    const tus = { 'tus-resumable': '1.0.0', 'upload-length': '3', 'upload-metadata': metadata };
    const upload = { name: 'tus', method: 'POST', path: `/api/v1/uploads?token=${alice}` };
    expect(await rig.spy.http({ ...upload, headers: { ...headers, ...tus } })).toBe(201);
    await expectNoLeak(rig);
  });

  it('[secrets/tokens] [secrets/errors] bad ones, nor those in frames and requests that are none', async () => {
    const [bad, badKey] = [
      plant('bad credential'),
      `nk_abcdefghijklmno1_${plant('bad key').padEnd(43, 'x')}`,
    ];
    for (const secret of [bad, badKey]) {
      await openAll([...personDoors(secret), ...masterDoors(secret), ...logDoors(secret)]);
      await Promise.all([...httpDoors(secret), ...brokenRequests(secret)].map((door) => rig.spy.http(door)));
    }
    await openAll(personDoors(rig.sign('forged token', plant('another key'), { sub: 'eve' })));
    const alice = await rig.token({ sub: 'alice' });
    for (const [place, frames] of Object.entries(brokenFrames(plant('frame')))) {
      const name = place === '/chat/user' ? 'access_token' : 'token';
      await rig.spy.socket({ name: `broken frames of ${place}`, path: `${place}?${name}=${alice}`, frames });
    }
    const long = { type: 'auth', token: plant('long token') + ' long'.repeat(2_000) };
    const frames = [{ ack: plant('ack') }, `{"ack":"${plant('half of an ack')}`, long];
    await openAll(logDoors(rig.logsKey).map((door) => ({ ...door, frames })));
    const origin = `https://${plant('origin')}.example`;
    const path = `/ws/chat?token=${plant('token from a strange origin')}`;
    // The one that comes back in no answer either.
    await rig.spy.socket({ name: 'a strange origin', path, headers: { origin } });
    expectSaid(rig, 'a frame was refused', 'refused: no such API key');
    await expectNoLeak(rig);
  });

  it('[secrets/readers] what is secret in lines of others, by HTTP and straight over NATS', async () => {
    const { canaries, direct, spy } = rig;
    const sign = (of = canaries) => rig.sign('token in a line', 'any key', { jti: crypto.randomUUID() }, of);
    const lines = secretLines(
      () => canaries.plant('line'),
      () => sign(),
    );
    const headers = { authorization: `Bearer ${rig.logsKey}` };
    const post = (path: string, body?: unknown) =>
      spy.http({ name: 'a line', method: 'POST', path, headers, body });
    for (const line of lines) expect(await post('/api/logs', line)).toBe(200);
    expect(await post('/api/logs', lines.map((line) => JSON.stringify(line)).join('\n'))).toBe(200);
    for (const { msg } of lines.slice(0, 8)) {
      expect(await post(`/api/broadcast-log?message=${encodeURIComponent(String(msg))}`)).toBe(200);
      expect(await post('/api/broadcast-log', { message: msg, service: 'shop' })).toBe(200);
    }
    await publishDirectly(
      secretLines(
        () => direct.plant('line over NATS'),
        () => sign(direct),
      ),
    );
    await expectNoLeak(rig);
    // They came, with what was around the secrets.
    const read = rig.readers[0]?.text() ?? '';
    for (const text of ['GET /ws/chat?token=[redacted] took 3 ms', `"service":"${DIRECT}"`, 'by name'])
      expect([text, read.includes(text)]).toEqual([text, true]);
  });
});

/** As JSON, and their texts as they are. */
async function publishDirectly(lines: Record<string, unknown>[]): Promise<void> {
  const options = { url: rig.nats.url, name: 'log-writer', nkeyFile: rig.keyFile('log-writer') };
  const writer = await Bus.connect(options, createLogger('test', 'silent'));
  try {
    const subject = SUBJECTS.log(DIRECT, 'info', 'general');
    for (const text of lines.flatMap((line) => [JSON.stringify(line), String(line.msg)]))
      await writer.append(subject, text, { once: true });
  } finally {
    await writer.close();
  }
}

describe('no service says a secret of its settings', () => {
  const { PATH = '' } = process.env;
  const entryOf = (service: ServiceName) => join(ROOT, `services/${service}/src/main.ts`);

  function environment(): Record<string, string> {
    const { NATTER_ROOT, NATTER_DATA_DIR } = { NATTER_ROOT: ROOT, NATTER_DATA_DIR: rig.stack.dataDir };
    const NATS_URL = rig.withPassword(rig.nats.url, 'NATS_URL');
    return { PATH, ...rig.settings(), NATTER_ROOT, NATTER_DATA_DIR, NATS_URL };
  }

  it('[secrets/errors] [secrets/settings] when it can’t start', async () => {
    const seed = join(rig.folder, 'seed.nk');
    writeFileSync(seed, rig.canaries.plantText('a bad seed', `SU${'BADSEED2'.repeat(7)}`));
    const config = join(rig.folder, 'broken.json');
    writeFileSync(config, `{"auth_middleware": {"headers": {"x": ${plant('a broken file')}`);
    const url = `ftp://user:${plant('a bad URL')}@host/?key=${plant('its query')}`;
    const starts: [ServiceName, Record<string, string>][] = [
      // Without a key of its own the broker doesn't let it in.
      ['gateway', {}],
      ['uploads', { NATTER_NATS_NKEY_FILE: seed }],
      ['auth', { NATTER_CONFIG_FILE: config, NATTER_NATS_NKEY_FILE: rig.keyFile('auth') }],
      ['auth', { CRYPTOGRAPHY_KEY: plant('a short key').slice(0, 24) }],
      ['auth', { LOGS_API_KEY: `${plant('a key')} with a space` }],
      ['agent', { OPENAI_BASE_URL: url }],
    ];
    const ended = await Promise.all(
      starts.map(async ([name, env]) => {
        const options = { name, entry: entryOf(name), env: { ...environment(), ...env } };
        return ServiceProcess.start(options).then(
          (service) => service.stop().then(() => `${name} has started`),
          (error: Error) => error.message,
        );
      }),
    );
    for (const words of ended) expect(words).toMatch(/could not start|ended before/);
    rig.lastWords.push(...ended);
    await expectNoLeak(rig);
  });

  it('[secrets/errors] [secrets/settings] when its model can’t be asked at an address with a password', async () => {
    await rig.stack.agents[0]?.stop();
    const address = rig.withPassword('http://127.0.0.1:1/v1', 'OPENAI_BASE_URL');
    const agent = await ServiceProcess.start({
      name: 'another agent',
      entry: entryOf('agent'),
      env: { ...environment(), NATTER_NATS_NKEY_FILE: rig.keyFile('agent'), OPENAI_BASE_URL: address },
    });
    try {
      expect(await rig.ask('at an address with a password')).toBe(502);
      expect(await agent.line(/run failed/)).toContain('127.0.0.1');
    } finally {
      await agent.stop();
      rig.lastWords.push(...agent.lines);
    }
    await rig.stack.agents[0]?.restart();
    await expectNoLeak(rig);
  });
});
