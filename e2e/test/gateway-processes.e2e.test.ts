/** Several gateway processes on one port: each is killed, started again and replaced alone. */
import { connect as dial } from 'node:net';
import { resolve } from 'node:path';
import { connect, gatewayProcesses, isAlive, ServiceProcess, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chatV1, roomsV1 } from '../src/chat-wires.ts';
import { readMetric } from '../src/metrics.ts';
import { reportFailures } from '../src/report-failures.ts';
import { ResumingClient } from '../src/resuming-client.ts';
import { createRoom } from '../src/rooms-http.ts';

const MAIN = resolve(import.meta.dirname, '../../services/gateway/src/main.ts');
/** However busy the machine is. */
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 30_000 });
const ROOM = 'several processes';

let stack: Stack;
let gateway: ServiceProcess;
beforeAll(async () => {
  stack = await startStack({
    demo: { answer: 'echo', tokensPerSecond: 25, firstTokenMs: 0 },
    env: { GATEWAY_PROCESSES: '2', WS_RATE_LIMIT_REQUESTS: '100000' },
  });
  [gateway] = stack.gateways as [ServiceProcess];
  await createRoom(stack.httpUrl(), await stack.token({ sub: 'alice' }), {
    room_id: ROOM,
    room_type: 'shared',
  });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);
// A test that failed must not leave the next one without a gateway.
beforeEach(async () => {
  if (!isAlive(gateway.pid)) await gateway.restart();
  await soon(() => gatewayProcesses(gateway).map(({ index }) => index)).toEqual([0, 1]);
  await soon(() => readMetric(gateway, 'natter_gateway_processes')).toBe(2);
});

// Also those of a test that failed: the next one counts connections.
afterEach(async () => {
  await Promise.all(opened.splice(0).map((client) => client.close()));
});

interface Placed {
  client: ResumingClient;
  /** Index of the process that has its connection. */
  process: number;
}

const opened: ResumingClient[] = [];

function connections(index: number): Promise<number> {
  return readMetric(gateway, 'natter_gateway_connections', `process="${index}"`);
}

/** Opens connections until each process has two at least: which one gets the next is chance. */
async function everywhere(name: string): Promise<Placed[]> {
  await soon(async () => (await connections(0)) + (await connections(1))).toBe(0);
  const placed: Placed[] = [];
  const on = (index: number) => placed.filter(({ process }) => process === index).length;
  while (on(0) < 2 || on(1) < 2) {
    if (placed.length === 64) throw new Error(`all of 64 connections went to one process`);
    const token = await stack.token({ sub: `${name} ${placed.length}` });
    const client = new ResumingClient(roomsV1, { token, room: ROOM });
    opened.push(client);
    const before = await connections(0);
    await client.open(stack.url());
    placed.push({ client, process: (await connections(0)) > before ? 0 : 1 });
  }
  return placed;
}

function pidOf(index: number): number {
  const found = gatewayProcesses(gateway).find((process) => process.index === index);
  if (found === undefined) throw new Error(`there is no process ${index}`);
  return found.pid;
}

/** Asks over the first client of a process; resolves when everybody sees the answer begin. */
async function askOn(placed: readonly Placed[], process: number, text: string): Promise<void> {
  placed.find((one) => one.process === process)?.client.ask(text, `asked on ${process}`);
  await Promise.all(placed.map(({ client }) => client.until(() => client.underway.length > 8)));
}

async function expectAnswer(placed: readonly Placed[], text: string): Promise<void> {
  const isAnswer = (answer: { text: string }) => answer.text === `Echo: ${text}`;
  await Promise.all(placed.map(({ client }) => client.until(() => client.ended.some(isAnswer))));
  for (const { client } of placed) {
    expect(client.faults).toEqual([]);
    expect(client.ended.filter(isAnswer)).toMatchObject([{ status: 'completed' }]);
  }
}

/**
 * Connects again, as often as it takes.
 *
 * Whoever waits to be accepted is reset while the kernel takes a listener away: that of a process
 * which has just been killed, and which it still gave connections.
 */
async function comeBack(client: ResumingClient): Promise<void> {
  for (;;) {
    try {
      return await client.open(stack.url());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
    }
  }
}

/** A gateway on the port of this one. */
function another(env: Record<string, string>): Promise<ServiceProcess> {
  const { PATH = '' } = process.env;
  const keyFile = stack.nats.keyFile('gateway') ?? '';
  const base = { PATH, NATTER_ENV: 'development', NATS_URL: stack.nats.url, NATTER_NATS_NKEY_FILE: keyFile };
  const settings = { ...base, PORT: String(gateway.ports.http), ...env };
  return ServiceProcess.start({ name: 'another gateway', entry: MAIN, env: settings });
}

describe('two gateway processes on one port', () => {
  it('share its connections; what is asked on one is watched from the other', async () => {
    const placed = await everywhere('watching');
    await askOn(placed, 0, 'Asked on the first process, and seen from both of them.');
    await expectAnswer(placed, 'Asked on the first process, and seen from both of them.');
  });

  it('one killed: the other keeps its connections, whose were cut off come back with their cursors', async () => {
    const placed = await everywhere('killing');
    const text = `A long question, ${'of which the answer goes on and on, '.repeat(12)}to its end.`;
    await askOn(placed, 1, text);
    const [killed, kept] = [pidOf(0), pidOf(1)];
    process.kill(killed, 'SIGKILL');
    await Promise.all(
      placed.map(async ({ client, process }) => {
        if (process === 1) return;
        expect((await client.lost()).code).toBe(1006);
        await comeBack(client);
      }),
    );
    await expectAnswer(placed, text);
    for (const { client, process } of placed) {
      expect(client.recoveries.length > 0, `of process ${process}`).toBe(process === 0);
      expect(client.recoveries).not.toContain(false);
      expect(client.probe.closedWith).toBeNull();
    }
    await soon(() => gatewayProcesses(gateway).map(({ index }) => index)).toEqual([0, 1]);
    expect([pidOf(0) === killed, pidOf(1)]).toEqual([false, kept]);
    expect(isAlive(killed)).toBe(false);
    await soon(() => readMetric(gateway, 'natter_gateway_process_restarts_total')).toBe(1);
    // The new one gets its part of what comes.
    await Promise.all(placed.map(({ client }) => client.close()));
    await everywhere('killed');
  });

  it('replaced on SIGUSR2: told 1012, they come back at once, and nobody is refused meanwhile', async () => {
    const placed = await everywhere('replacing');
    const text = `A question whose answer ${'is written while processes come and go, '.repeat(10)}to its end.`;
    await askOn(placed, 0, text);
    const before = gatewayProcesses(gateway).map(({ pid }) => pid);
    let isReplacing = true;
    const codes = new Set<string>();
    const dialling = (async () => {
      for (; isReplacing; ) codes.add(await dialOnce());
    })();
    const replaced = gateway.lines.length;
    process.kill(gateway.pid, 'SIGUSR2');
    await Promise.all(
      placed.map(async ({ client }) => {
        while (before.some(isAlive)) {
          const closed = await Promise.race([client.probe.closed, untilDead(before)]);
          if (closed === null) break;
          await client.lost();
          expect(closed.code).toBe(1012);
          await comeBack(client);
        }
      }),
    );
    isReplacing = false;
    await dialling;
    // The kernel resets who waits to be accepted while a listener is closed, and refuses nobody.
    expect([...codes].filter((code) => code !== 'ECONNRESET')).toEqual(['connected']);
    await soon(() =>
      gateway.lines.slice(replaced).some((line) => line.includes('processes are replaced"')),
    ).toBe(true);
    await expectAnswer(placed, text);
    const after = gatewayProcesses(gateway).map(({ pid }) => pid);
    expect(after).toHaveLength(2);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
  });

  it('answer health and metrics on one internal port', async () => {
    const at = (path: string) => fetch(`http://127.0.0.1:${gateway.ports.internal}${path}`);
    expect((await at('/livez')).status).toBe(200);
    expect((await at('/readyz')).status).toBe(200);
    const text = await (await at('/metrics')).text();
    for (const process of ['0', '1', 'parent'])
      expect(text).toMatch(new RegExp(`^process_resident_memory_bytes\\{process="${process}",`, 'm'));
    const heads = text.split('\n').filter((line) => line.startsWith('# HELP '));
    expect(new Set(heads).size).toBe(heads.length);
    const health = await fetch(`${stack.httpUrl()}/health`);
    expect(await health.json()).toMatchObject({ status: 'healthy' });
  });

  it('say in each log line which of them wrote it', async () => {
    for (const { index, pid } of gatewayProcesses(gateway)) {
      const own = gateway.lines.filter((line) => line.includes(`"pid":${pid},`));
      expect(own.length).toBeGreaterThan(0);
      expect(own.every((line) => line.includes(`"process":${index},`))).toBe(true);
    }
  });

  it.each(['1', '2'])('keep the port to themselves: another gateway of %s is refused', async (count) => {
    const port = gateway.ports.http;
    await expect(another({ GATEWAY_PROCESSES: count })).rejects.toThrow(
      `could not start: Port ${port} on 127.0.0.1 is in use; set PORT to another one.`,
    );
  });

  it('end the start with a reason when one of them can not start', async () => {
    const broken = { PORT: '0', GATEWAY_PROCESSES: '2', NATTER_NATS_NKEY_FILE: '/nowhere/gateway.nk' };
    await expect(another(broken)).rejects.toThrow(/could not start: .*\/nowhere\/gateway\.nk/);
  });

  it('stop together on SIGTERM: 1012 to everybody, exit code 0, no process left', async () => {
    const placed = await everywhere('stopping');
    const pids = gatewayProcesses(gateway).map(({ pid }) => pid);
    const exit = gateway.stop();
    for (const { client } of placed) expect(await client.lost()).toMatchObject({ code: 1012 });
    expect(await exit).toEqual({ code: 0, signal: null });
    expect(pids.filter(isAlive)).toEqual([]);
    await gateway.restart();
  });

  it('end when their parent is killed, and the port is free again', async () => {
    const probe = await connect(
      stack.url() + chatV1.path({ token: await stack.token({ sub: 'alice' }), conversation: 'orphans' }),
    );
    const pids = gatewayProcesses(gateway).map(({ pid }) => pid);
    await gateway.kill();
    expect(await probe.closing()).toMatchObject({ code: 1012 });
    await soon(() => pids.filter(isAlive)).toEqual([]);
    await gateway.restart();
    expect(gatewayProcesses(gateway)).toHaveLength(2);
  });
});

/** `connected`, or the code of the error. */
function dialOnce(): Promise<string> {
  return new Promise((done) => {
    const socket = dial({ port: gateway.ports.http as number, host: '127.0.0.1' });
    const end = (how: string) => {
      socket.destroy();
      done(how);
    };
    socket.once('connect', () => end('connected'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

async function untilDead(pids: readonly number[]): Promise<null> {
  await soon(() => pids.filter(isAlive)).toEqual([]);
  return null;
}
