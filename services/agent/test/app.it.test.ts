/** The agent's process as it is shipped, with a real broker and the demo model: turns with options. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { BUCKETS, type RunEvent, type TurnOptions } from '@natter/proto';
import type { Bus } from '@natter/runtime';
import { type NatsServer, ServiceProcess, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectBus, eventsToEnd, newTurn, store, textOf } from './turn/agent-under-test.ts';

const ROOT = '../../../';
const entry = (path: string) => fileURLToPath(new URL(`${ROOT}${path}`, import.meta.url));

let nats: NatsServer;
let bus: Bus;
const started: ServiceProcess[] = [];
beforeAll(async () => {
  nats = await startNatsServer();
  bus = await connectBus(nats.url);
  const { PATH = '', HOME = '' } = process.env;
  const demo = await ServiceProcess.start({
    name: 'demo model',
    entry: entry('demo-model/src/main.ts'),
    env: { PATH, HOME, DEMO_MODEL_TOKENS_PER_SECOND: '0', DEMO_MODEL_FIRST_TOKEN_MS: '0' },
  });
  started.push(demo);
  const env = {
    PATH,
    HOME,
    NATS_URL: nats.url,
    OPENAI_BASE_URL: `http://127.0.0.1:${demo.ports.http}/v1`,
    NATTER_MODEL: 'natter-demo',
    NATTER_ALLOWED_MODELS: 'gpt-4o',
    LOG_LEVEL: 'warn',
  };
  started.push(
    await ServiceProcess.start({ name: 'agent', entry: entry('services/agent/src/main.ts'), env }),
  );
}, 60_000);
afterAll(async () => {
  await Promise.all(started.map((service) => service.stop()));
  await bus?.close();
  await nats?.stop();
});

async function ask(text: string, options: TurnOptions, conversation?: string): Promise<RunEvent[]> {
  const turn = { ...newTurn(text, conversation), options };
  await store(bus, turn);
  return eventsToEnd(bus, turn);
}
const completed = (events: RunEvent[]) => events.find((event) => event.type === 'run.completed')?.metadata;

describe('an agent', () => {
  it('lets the explorer list the tables of the sample catalogue', async () => {
    const events = await ask('List all tables', { agent: 'explorer' });
    const tool = events.find((event) => event.type === 'tool.called');
    expect(tool).toMatchObject({ tool: 'list_tables' });
    expect(tool?.result).toMatch(/^\[\{"name":"fact_bs_purchase_order","type":"FACT"\},.*\]$/);
    expect(events).toContainEqual({ type: 'agent.chosen', agent: 'explorer' });
    expect(textOf(events)).toContain(
      'Here are the available tables:\n\n1. fact_bs_purchase_order (FACT)\n2. ',
    );
    expect(completed(events)).toMatchObject({ agent: 'explorer', model: 'natter-demo' });
    expect(completed(events)?.costUsd).toBeGreaterThan(0);
  });

  it('answers by the model and provider that a turn names', async () => {
    const events = await ask('What is the engine power?', {
      provider: 'openai',
      model: 'gpt-4o',
      maxTokens: 3,
    });
    expect(completed(events)).toMatchObject({ agent: 'specs', model: 'gpt-4o', usage: expect.anything() });
    expect(textOf(events)).toBe('The engine power');
  });

  it('notes a preference that it can’t meet', async () => {
    const events = await ask('What is the engine power?', { modelPreference: 'gpt-4' });
    expect(completed(events)?.model).toBe('natter-demo');
    expect(events).toContainEqual({
      type: 'run.noted',
      text: 'The model gpt-4 is not available here; natter-demo answers.',
    });
  });

  it.each<[string, TurnOptions]>([
    ['MODEL_NOT_ALLOWED', { model: 'gpt-4' }],
    ['UNKNOWN_PROVIDER', { provider: 'openrouter' }],
  ])('ends a run with %s for %j', async (code, options) => {
    const events = await ask('What is the engine power?', options);
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', code });
    expect(textOf(events)).toBe('');
  });

  it.each(['specs', 'explorer'])(
    '[text/questions] [text/sources] [text/own] quotes a file of the conversation as %s and names it',
    async (agent) => {
      const { conversation } = newTurn('');
      const id = randomUUID();
      const text = 'The winter tyres of the company lie in locker seventeen.';
      await (await bus.bucket(BUCKETS.fileIndex)).create(`conv.${conversation}.${id}`, '');
      const value = JSON.stringify({ id, name: 'lockers.txt', text });
      await (await bus.bucket(BUCKETS.fileTexts)).create(`${conversation}.${id}`, value);
      const question = 'In which locker are the winter tyres?';
      const events = await ask(question, { agent }, conversation);
      expect(textOf(events)).toContain(text);
      expect(completed(events)?.sources).toEqual(['lockers.txt']);
      // Nobody else's.
      expect(textOf(await ask(question, { agent }))).not.toContain('seventeen');
    },
  );
});
