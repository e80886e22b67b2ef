import { createLogger } from '@natter/runtime';
import { expect, test } from 'vitest';
import type { GatewayProcess } from '../../src/processes/gateway-process.ts';
import { GatewayProcesses } from '../../src/processes/gateway-processes.ts';

interface FakeProcess extends GatewayProcess {
  index: number;
  connections: number;
  share: number | null;
  speaks: boolean;
  stopped: boolean;
  arrive(): void;
  fail(reason: string): void;
  die(how: string): void;
}

function fakeProcess(index: number): FakeProcess {
  const ready = Promise.withResolvers<Record<string, number>>();
  const ended = Promise.withResolvers<string>();
  ready.promise.catch(() => undefined);
  const die = (how: string) => {
    ended.resolve(how);
    ready.reject(new Error(how));
  };
  const process: FakeProcess = {
    index,
    pid: 1_000 + index,
    ready: ready.promise,
    ended: ended.promise,
    connections: 0,
    share: null,
    speaks: true,
    stopped: false,
    arrive: () => ready.resolve({ http: 1, internal: 2_000 + index }),
    fail: (reason) => {
      ready.reject(new Error(reason));
      die('exit code 1');
    },
    die,
    hasSpoken: () => process.speaks,
    setMaxConnections: (count) => {
      process.share = count;
    },
    kill: () => die('SIGKILL'),
    stop: async () => {
      process.stopped = true;
      die('exit code 0');
    },
  };
  return process;
}

/** Processes whose pauses take no time; each new one arrives at once unless `arrives` is false. */
function harness(count = 2) {
  const forked: FakeProcess[] = [];
  const delays: number[] = [];
  let clock = 0;
  let restarts = 0;
  const control = { arrives: true, fails: '', throws: '' };
  const processes = new GatewayProcesses({
    count,
    maxConnections: 100,
    fork: (index) => {
      if (control.throws !== '') throw new Error(control.throws);
      const process = fakeProcess(index);
      forked.push(process);
      if (control.fails !== '') process.fail(control.fails);
      else if (control.arrives) process.arrive();
      return process;
    },
    restarted: () => {
      restarts += 1;
    },
    log: createLogger('gateway', 'silent'),
    now: () => clock,
    sleep: async (ms) => {
      delays.push(ms);
      clock += ms;
      // A turn of the loop, so that tries without end leave room for the test.
      await settle();
    },
  });
  return {
    processes,
    forked,
    delays,
    control,
    advance: (ms: number) => {
      clock += ms;
    },
    restarts: () => restarts,
    indexes: () => processes.serving.map(({ index }) => index),
  };
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await settle();
}

test('all are started, and known by their internal ports', async () => {
  const { processes } = harness(3);
  await processes.start();
  expect(processes.serving).toEqual([0, 1, 2].map((index) => ({ index, internalPort: 2_000 + index })));
});

test('one that can not start ends the start with its reason, and all others', async () => {
  const { processes, forked, control } = harness();
  control.arrives = false;
  const started = processes.start();
  forked[0]?.arrive();
  forked[1]?.fail('Port 8000 is in use');
  await expect(started).rejects.toThrow('Port 8000 is in use');
  expect(forked[0]?.stopped).toBe(true);
  expect(forked).toHaveLength(2);
});

test('one that dies is started again alone, in its place', async () => {
  const { processes, forked, indexes, restarts } = harness(3);
  await processes.start();
  forked[1]?.die('SIGKILL');
  await settled();
  expect(forked.map(({ index }) => index)).toEqual([0, 1, 2, 1]);
  expect(indexes()).toEqual([0, 1, 2]);
  expect(forked[0]?.stopped).toBe(false);
  expect(restarts()).toBe(1);
});

test('the wait doubles with each death within a minute, up to 5 s', async () => {
  const { processes, forked, delays, advance } = harness();
  await processes.start();
  for (let death = 0; death < 8; death += 1) {
    forked.at(death === 0 ? 0 : -1)?.die('SIGSEGV');
    await settled();
  }
  expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  advance(60_000);
  forked.at(-1)?.die('SIGSEGV');
  await settled();
  expect(delays.at(-1)).toBe(100);
});

test('while one serves it is tried without end', async () => {
  const { processes, forked, control, delays, indexes } = harness();
  await processes.start();
  let gaveUp = false;
  void processes.gaveUp.then(() => {
    gaveUp = true;
  });
  control.fails = 'no memory';
  forked[0]?.die('SIGKILL');
  while (delays.length < 50) await settle();
  expect(gaveUp).toBe(false);
  control.fails = '';
  await settled();
  expect(indexes()).toEqual([0, 1]);
});

test('one that can not even be forked is tried again, and a round of replacements ends', async () => {
  const { processes, forked, control, indexes } = harness();
  await processes.start();
  control.throws = 'spawn ENOMEM';
  await processes.replaceAll();
  expect(indexes()).toEqual([0, 1]);
  forked[0]?.die('SIGKILL');
  await settled();
  expect(indexes()).toEqual([1]);
  control.throws = '';
  await settled();
  expect(indexes()).toEqual([0, 1]);
});

test('when none could be kept running for a minute it gives up with the last reason', async () => {
  const { processes, forked, control } = harness();
  await processes.start();
  control.fails = 'the broker is away';
  forked[0]?.die('SIGKILL');
  forked[1]?.die('SIGKILL');
  const reason = await processes.gaveUp;
  expect(reason.message).toBe('none of 2 gateway processes ran for 60 s; last: the broker is away');
  await processes.stop();
});

test('a stop ends all, also one that is being started, and nothing is started again', async () => {
  const { processes, forked, control } = harness();
  await processes.start();
  control.arrives = false;
  forked[0]?.die('SIGKILL');
  await settled();
  await processes.stop();
  await settled();
  expect(forked.slice(1).every(({ stopped }) => stopped)).toBe(true);
  expect(forked).toHaveLength(3);
});

test('replaced one by one: the new one is ready before the old one stops', async () => {
  const { processes, forked, control, indexes } = harness();
  await processes.start();
  control.arrives = false;
  const round = processes.replaceAll();
  expect(processes.replaceAll()).toBe(round);
  await settled();
  expect(forked.map(({ index, stopped }) => [index, stopped])).toEqual([
    [0, false],
    [1, false],
    [0, false],
  ]);
  control.arrives = true;
  forked[2]?.arrive();
  await round;
  expect(forked.map(({ index, stopped }) => [index, stopped])).toEqual([
    [0, true],
    [1, true],
    [0, false],
    [1, false],
  ]);
  expect(indexes()).toEqual([0, 1]);
});

test('a new one that can not start ends the round, and the old ones go on', async () => {
  const { processes, forked, control, indexes } = harness();
  await processes.start();
  control.fails = 'a broken release';
  await processes.replaceAll();
  expect(forked).toHaveLength(3);
  expect(forked.slice(0, 2).some(({ stopped }) => stopped)).toBe(false);
  expect(indexes()).toEqual([0, 1]);
});

test('one that dies while its replacement starts is replaced once', async () => {
  const { processes, forked, control, indexes } = harness(1);
  await processes.start();
  control.arrives = false;
  const round = processes.replaceAll();
  await settled();
  forked[0]?.die('SIGKILL');
  await settled();
  forked[1]?.arrive();
  await round;
  await settled();
  expect(forked).toHaveLength(2);
  expect(indexes()).toEqual([0]);
});

test('one that says nothing for 30 looks is killed and started again; a slow one is not', async () => {
  const { processes, forked } = harness();
  await processes.start();
  const [hangs, slow] = forked;
  if (hangs === undefined || slow === undefined) throw new Error('none');
  hangs.speaks = false;
  for (let look = 0; look < 30; look += 1) {
    slow.speaks = look % 29 === 28;
    processes.tick();
  }
  await settled();
  expect(forked.map(({ index }) => index)).toEqual([0, 1, 0]);
});

test('connections are shared out by what each reports', async () => {
  const { processes, forked } = harness();
  await processes.start();
  expect(forked.map(({ share }) => share)).toEqual([50, 50]);
  Object.assign(forked[0] ?? {}, { connections: 60 });
  processes.tick();
  expect(forked.map(({ share }) => share)).toEqual([80, 20]);
});
