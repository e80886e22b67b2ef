/** Secrets come out nowhere when others fail: the model, the token store, the provider, auth, the broker. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { httpDoors, logDoors, personDoors, type SocketDoor } from '../src/credential-doors.ts';
import { expectNoLeak, expectSaid } from '../src/leaks.ts';
import { LOGS_WAIT } from '../src/log-reading.ts';
import { MEAN_WAYS } from '../src/mean-model.ts';
import { reportFailures } from '../src/report-failures.ts';
import { inAnHour, PROVIDER, SecretStack } from '../src/secret-stack.ts';

let rig: SecretStack;
beforeAll(async () => {
  rig = await SecretStack.start();
});
afterAll(() => rig?.stop());
reportFailures(() => rig?.stack);

const plant = (place: string) => rig.canaries.plant(place);
const openAll = (doors: SocketDoor[]) => Promise.all(doors.map((door) => rig.spy.socket(door)));
const askAll = (secret: string) => Promise.all(httpDoors(secret).map((door) => rig.spy.http(door)));

describe('no output has', () => {
  it('[secrets/errors] [secrets/settings] what a model server says that quotes the whole request', async () => {
    for (const way of MEAN_WAYS) {
      rig.model.way = way;
      expect([way, await rig.ask(`the model ${way}`)]).toEqual([way, 502]);
    }
    rig.model.way = null;
    expect(rig.model.meanAnswers).toBeGreaterThanOrEqual(MEAN_WAYS.length);
    expectSaid(rig, 'run failed', 'the model is asked again', 'Incorrect API key provided: [redacted]');
    await expectNoLeak(rig);
  });

  it('[secrets/errors] [secrets/tokens] what a token store answers, nor the address of one that is down', async () => {
    const { store, secrets, spy } = rig;
    /** Asks it about a token, another one each time, and gives it a new one. */
    const askStore = async () => {
      const claims = { client_id: `client-${crypto.randomUUID()}` };
      const token = rig.sign('client token', secrets.CRYPTOGRAPHY_KEY, claims);
      await openAll(personDoors(token).filter(({ name }) => name.startsWith('fastchat')));
      const headers = { 'master-token': secrets.MASTER_TOKEN };
      const made = { name: 'new tokens', method: 'GET', path: '/auth/token/new?client_id=x', headers };
      expect(await spy.http(made)).toBe(502);
    };
    for (const status of [200, 302, 500]) {
      store.answerWith(({ method, url, headers }, response) => {
        const location = `http://127.0.0.1:1/?token=${plant('where the store redirects to')}`;
        // A token that is stored would be told to the client: it must not be.
        response.writeHead(method === 'POST' && status === 200 ? 507 : status, { location });
        // Half of JSON is quoted by the error of whoever parses it.
        response.end(
          `{"access_token": "${plant('token of the store')}", ${JSON.stringify({ url, headers })}`,
        );
      });
      await askStore();
    }
    store.answerWith(null);
    await store.down();
    await askStore();
    await store.up();
    expectSaid(
      rig,
      'the token store did not take the tokens of a client',
      'the token store could not be asked',
    );
    await expectNoLeak(rig);
  });

  it('[secrets/errors] [secrets/settings] the address of an identity provider that is down', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const head = part({ alg: 'RS256', typ: 'JWT', kid: 'one' });
    const claims = part({ ...PROVIDER, sub: 'carol', exp: inAnHour() });
    const signature = Buffer.from(plant('signature')).toString('base64url');
    const token = rig.canaries.plantText('token of a provider', `${head}.${claims}.${signature}`);
    await openAll(personDoors(token));
    await askAll(token);
    expectSaid(rig, 'keys of the identity provider could not be fetched');
    await expectNoLeak(rig);
  });

  it('[secrets/errors] [secrets/tokens] what was asked while auth is away', async () => {
    const alice = await rig.token({ sub: 'alice' });
    await rig.stack.auth.stop();
    await Promise.all([openAll([...personDoors(alice), ...logDoors(rig.logsKey)]), askAll(alice)]);
    expectSaid(rig, 'a token could not be verified');
    await rig.stack.auth.restart();
    await expectNoLeak(rig);
  });

  it('[secrets/errors] [secrets/settings] what was asked while the broker is away, nor its address', async () => {
    const alice = await rig.token({ sub: 'alice' });
    const asking = Promise.all([openAll(personDoors(alice)), askAll(alice)]);
    await rig.nats.kill();
    await rig.nats.restart();
    await asking;
    for (const service of rig.services) await service.line(/reconnected to the broker/, 30_000);
    await vi.waitFor(async () => expect(await rig.ask('afterwards')).toBe(200), LOGS_WAIT);
    expectSaid(rig, 'disconnected from the broker');
    await expectNoLeak(rig);
  });
});
