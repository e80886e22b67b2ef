import { expect, test } from 'vitest';
import { sharedEnvironment, wantsDemoModel, withInternalPort } from '../../start/environment.ts';
import { readSettings } from '../../start/settings.ts';

const WIRING = { root: '/repo', natsUrl: 'nats://127.0.0.1:1', demoPort: null };

test('the demo model stands in only where no model is configured', () => {
  expect(wantsDemoModel({})).toBe(true);
  expect(wantsDemoModel({ OPENAI_API_KEY: '' })).toBe(true);
  expect(wantsDemoModel({ OPENAI_API_KEY: 'sk-x' })).toBe(false);
  expect(wantsDemoModel({ OPENROUTER_API_KEY: 'x' })).toBe(false);
  expect(wantsDemoModel({ OPENAI_BASE_URL: 'http://localhost:11434/v1' })).toBe(false);
});

test('services get the broker, an absolute data folder, and what a person set', () => {
  const env = { HOME: '/home/x', LOG_LEVEL: 'debug', NATTER_ENV: 'production', NATTER_TYPO: '1' };
  const shared = sharedEnvironment(env, readSettings(env), WIRING);
  expect(shared).toMatchObject({
    HOME: '/home/x',
    NATS_URL: 'nats://127.0.0.1:1',
    NATTER_DATA_DIR: '/repo/.natter',
    NATTER_ROOT: '/repo',
    LOG_LEVEL: 'debug',
    NATTER_ENV: 'production',
  });
  expect(shared).not.toHaveProperty('NATTER_TYPO');
  expect(shared).not.toHaveProperty('OPENAI_BASE_URL');
});

test('the demo model is given to the agent as its model', () => {
  const shared = sharedEnvironment({}, readSettings({}), { ...WIRING, demoPort: 99 });
  expect(shared).toMatchObject({ OPENAI_BASE_URL: 'http://127.0.0.1:99/v1', OPENAI_API_KEY: 'demo' });
});

test('a configured internal port is not given to two services', () => {
  const ports = [0, 1, 2].map((index) => withInternalPort({}, 9_000, index).NATTER_INTERNAL_PORT);
  expect(ports).toEqual(['9000', '9001', '9002']);
  expect(withInternalPort({}, 0, 1)).toEqual({});
});

test('every bad setting is named in the one sentence', () => {
  const read = () => readSettings({ PORT: 'x', NATTER_NATS_PORT: '99999', NATTER_AGENT_CONCURRENCY: '0' });
  expect(read).toThrow(
    /^The configuration has mistakes\. .*PORT.*NATTER_AGENT_CONCURRENCY.*NATTER_NATS_PORT/,
  );
});
