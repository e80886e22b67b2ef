import { expect, test } from 'vitest';
import { type Process, Supervisor } from '../../start/supervisor.ts';

interface FakeProcess extends Process {
  die(how: string): void;
}

/** A supervisor whose pauses take no time, and the processes it started. */
function harness() {
  const started: FakeProcess[] = [];
  const stopped: string[] = [];
  const warnings: string[] = [];
  const delays: number[] = [];
  let clock = 0;
  let giveUp: (sentence: string) => void = () => undefined;
  const gaveUp = new Promise<string>((resolve) => {
    giveUp = resolve;
  });
  const supervisor = new Supervisor({
    warn: (text) => warnings.push(text),
    gaveUp: (sentence) => giveUp(sentence),
    now: () => clock,
    sleep: async (ms) => void delays.push(ms),
  });
  const fake = (name: string, ready: () => Promise<unknown>) => () => {
    let die: (how: string) => void = () => undefined;
    const ended = new Promise<string>((resolve) => {
      die = resolve;
    });
    const process: FakeProcess = {
      ready: ready(),
      ended,
      die,
      stop: async () => {
        stopped.push(name);
        die('stopped');
      },
      kill: () => die('killed'),
    };
    process.ready.catch(() => undefined);
    started.push(process);
    return process;
  };
  const advance = (ms: number) => {
    clock += ms;
  };
  return { supervisor, fake, started, stopped, warnings, delays, gaveUp, advance };
}

/** Lets everything that waits for nothing but other promises go on. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
const atOnce = () => Promise.resolve();

test('what dies is started again, later each time', async () => {
  const { supervisor, fake, started, delays, warnings } = harness();
  supervisor.keep('agent', fake('agent', atOnce));
  for (let death = 0; death < 3; death += 1) {
    await settle();
    started.at(-1)?.die('SIGKILL');
  }
  await settle();
  expect(started).toHaveLength(4);
  expect(delays).toEqual([100, 200, 400]);
  expect(warnings[0]).toBe('The agent ended (SIGKILL); it is started again in 100 ms.');
});

test('the sixth death within a minute ends everything with one sentence', async () => {
  const { supervisor, fake, started, gaveUp } = harness();
  supervisor.keep('agent', fake('agent', atOnce));
  for (let death = 0; death < 6; death += 1) {
    await settle();
    started.at(-1)?.die('exit code 1');
  }
  expect(await gaveUp).toMatch(/^The agent ended 6 times within a minute \(last: exit code 1\)/);
  expect(started).toHaveLength(6);
});

test('deaths of more than a minute ago are forgotten', async () => {
  const { supervisor, fake, started, delays, advance } = harness();
  supervisor.keep('agent', fake('agent', atOnce));
  for (let death = 0; death < 10; death += 1) {
    await settle();
    started.at(-1)?.die('exit code 1');
    advance(61_000);
  }
  await settle();
  expect(started).toHaveLength(11);
  expect(new Set(delays)).toEqual(new Set([100]));
});

test('a restart that never becomes ready counts as a death', async () => {
  const { supervisor, fake, started, gaveUp } = harness();
  let first = true;
  const ready = () => {
    const result = first ? Promise.resolve() : Promise.reject(new Error('no broker'));
    first = false;
    return result;
  };
  supervisor.keep('agent', fake('agent', ready));
  await settle();
  started[0]?.die('SIGKILL');
  expect(await gaveUp).toMatch(/6 times/);
});

test('a first start that fails is not tried again', async () => {
  const { supervisor, fake, started } = harness();
  const process = supervisor.keep(
    'agent',
    fake('agent', () => Promise.reject(new Error('bad setting'))),
  );
  await expect(process.ready).rejects.toThrow('bad setting');
  started[0]?.die('exit code 1');
  await settle();
  expect(started).toHaveLength(1);
});

test('a stop goes in the reverse order, and nothing is started again', async () => {
  const { supervisor, fake, started, stopped, warnings } = harness();
  for (const name of ['broker', 'auth', 'gateway']) supervisor.keep(name, fake(name, atOnce));
  await settle();
  await supervisor.stop();
  await settle();
  expect(stopped).toEqual(['gateway', 'auth', 'broker']);
  expect(started).toHaveLength(3);
  expect(warnings).toEqual([]);
});
