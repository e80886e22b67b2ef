/** The tests of seeds/002, unchanged, against the real stack. */
import { needs, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportFailures } from '../src/report-failures.ts';
import { runPython } from '../src/seed-clients.ts';
import { seedTests } from '../src/session-tests.ts';

const missing = needs('python-websockets');

describe('the tests of seeds/002', () => {
  let stack: Stack;
  beforeAll(async () => {
    if (missing === null) stack = await startStack({ demo: { tokensPerSecond: 200, firstTokenMs: 0 } });
  });
  afterAll(() => stack?.stop());
  reportFailures(() => stack);

  it('[session/test-connection] [session/test-agent-response] pass', async ({ skip }) => {
    skip(missing !== null, missing ?? '');
    const python = runPython(seedTests(stack.gateways[0]?.ports.http ?? 0));
    expect(await python.ended, python.printed()).toBe(0);
    expect(python.printed()).toBe('passed test_websocket_connection\npassed test_agent_response\n');
  });
});
