/** The clients of seeds/001, as the seed shows them, against the real stack. */
import { RUN_STEPS } from '@natter/proto';
import { needs, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ANSWER_MS, ask, expectWhole, openChat } from '../src/chat.ts';
import { reportFailures } from '../src/report-failures.ts';
import { openSeedPage, runPython, type SeedPage } from '../src/seed-clients.ts';
import { codeBelow, withAddressAndToken } from '../src/seed-document.ts';

const JAVASCRIPT = codeBelow('JavaScript Client Example');
const PYTHON = codeBelow('Python Client Example');
const USER = { sub: 'user-uuid', email: 'user@example.com', name: 'User Name' };
const POWER = /132 kW/;

let stack: Stack;
let token: string;
beforeAll(async () => {
  stack = await startStack({ demo: { tokensPerSecond: 200, firstTokenMs: 0 } });
  token = await stack.token(USER);
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const port = () => stack.gateways[0]?.ports.http ?? 0;

describe('the JavaScript client of the seed', () => {
  let page: SeedPage;
  afterEach(() => page.stop());

  const printedBy = (wanted: RegExp) =>
    expect.poll(() => page.printed(), { timeout: ANSWER_MS }).toMatch(wanted);
  const steps = () => [...page.printed().matchAll(/^\[(\w+)\] /gm)].map(([, step]) => step);
  const responses = () =>
    [...page.printed().matchAll(/^Complete: ([\s\S]*?)\nAgent: /gm)].map(([, text]) => text);

  it('[seed/js-client] signs in, shows each step, and ends with the text that its tokens made', async () => {
    page = openSeedPage();
    await page.run(withAddressAndToken(JAVASCRIPT, port(), token));
    await printedBy(/Confidence: [\d.]+/);
    expect(page.printed()).toContain('Connected');
    expect(page.printed()).toMatch(
      /Authenticated: \{ id: 'user-uuid', email: 'user@example.com', name: 'User Name' \}/,
    );
    expect(steps()).toEqual(RUN_STEPS);
    const [response] = responses();
    expect(response).toMatch(POWER);
    expect(await page.run(`document.getElementById('response').textContent`)).toBe(response);
    expect(page.printed()).toMatch(/^Agent: specs$/m);
    expect(page.printed()).not.toContain('Error');
  });

  it('[seed/several-questions] asks again on the connection it has', async () => {
    page = openSeedPage();
    await page.run(withAddressAndToken(JAVASCRIPT, port(), token));
    await printedBy(/Confidence: /);
    await page.run(`chat.sendMessage('How often does the engine oil need changing?'); 0`);
    await expect.poll(responses, { timeout: ANSWER_MS }).toHaveLength(2);
    expect(page.printed().match(/^Connected$/gm)).toHaveLength(1);
    expect(steps()).toEqual([...RUN_STEPS, ...RUN_STEPS]);
    expect(await page.run(`document.getElementById('response').textContent`)).toBe(responses().join(''));
  });

  it('[seed/js-query-token] signs in by the query when the class is given no token', async () => {
    page = openSeedPage();
    // The class alone, and the address as the seed's first way of authentication has it.
    const [theClass] = JAVASCRIPT.split('// Usage') as [string];
    const url = 'ws://localhost:8000/ws/chat?token=your_jwt_token';
    await page.run(theClass);
    await page.run(
      withAddressAndToken(
        `const chat = new ChatWebSocket('${url}', null);
         chat.onComplete = (response) => console.log('Complete:', response);
         chat.connect(); 0`,
        port(),
        token,
      ),
    );
    await printedBy(/Authenticated: /);
    await page.run(`chat.sendMessage('What is the engine power?', 'my-session'); 0`);
    await printedBy(/Complete: .*132 kW/);
  });

  it('[seed/js-refused] is told when its token is not accepted', async () => {
    page = openSeedPage();
    // Without a replacement the token is the seed's placeholder.
    await page.run(withAddressAndToken(JAVASCRIPT, port(), 'your_jwt_token'));
    await printedBy(/Error \[undefined\]: Invalid token/);
    await printedBy(/Error \[AUTH_REQUIRED\]: Authentication required/);
    expect(steps()).toEqual([]);
  });
});

describe('the Python client of the seed', () => {
  const missing = needs('python-websockets');

  it('[seed/python-client] prints steps, tokens and the same text once more', async ({ skip }) => {
    skip(missing !== null, missing ?? '');
    const python = runPython(withAddressAndToken(PYTHON, port(), token));
    expect(await python.ended, python.printed()).toBe(0);
    const printed = python.printed();
    expect(printed.startsWith('Authenticated!\n')).toBe(true);
    expect([...printed.matchAll(/^\[(\w+)\] /gm)].map(([, step]) => step)).toEqual(RUN_STEPS);
    const [, tokens, response, agent] =
      /Generating response\.\.\.\n([\s\S]*)\n\nComplete!\nResponse: ([\s\S]*)\nAgent: (\w+)\n$/.exec(
        printed,
      ) ?? [];
    expect(response).toMatch(POWER);
    expect(tokens).toBe(response);
    expect(agent).toBe('specs');
  });

  it('[seed/python-refused] ends when its token is not accepted', async ({ skip }) => {
    skip(missing !== null, missing ?? '');
    const python = runPython(withAddressAndToken(PYTHON, port(), 'nonsense'));
    expect(await python.ended, python.printed()).toBe(0);
    expect(python.printed()).toBe('Authentication failed\n');
  });
});

describe('the wire of the seed', () => {
  it('[chat-v1/auth-query] [chat-v1/auth-success] a token in the query signs in with its claims', async () => {
    const probe = await openChat(stack.url(), token);
    expect(probe.frames[0]).toEqual({
      type: 'auth_success',
      message: 'Authentication successful',
      user: { id: USER.sub, email: USER.email, name: USER.name },
    });
    await probe.close();
  });

  it('[chat-v1/progress-order] [chat-v1/tokens-add-up] an answer comes in steps, then token by token', async () => {
    const probe = await openChat(stack.url(), token);
    const answer = await ask(probe, 'What is the engine power?');
    expectWhole(answer);
    expect(answer.tokens.length).toBeGreaterThan(10);
    const progress = probe.frames.filter(({ type }) => type === 'progress').map(({ message }) => message);
    expect(progress).toEqual([
      'Processing your question...',
      'Routing to the right expert...',
      'Searching knowledge base...',
      'Generating response...',
    ]);
    await probe.close();
  });

  it('[chat-v1/complete-metadata] the last frame says who answered, how surely, and from which files', async () => {
    const probe = await openChat(stack.url(), token);
    const { end } = await ask(probe, { message: 'What is the engine power?', session_id: 'the-session' });
    expect(end).toMatchObject({
      type: 'complete',
      session_id: 'the-session',
      metadata: { agent: 'specs', context: { sources: ['specs/engine.md'] } },
    });
    expect(end.response).toMatch(POWER);
    expect(end.metadata.confidence).toBeGreaterThan(0);
    expect(end.metadata.confidence).toBeLessThanOrEqual(1);
    await probe.close();
  });

  it('[chat-v1/agents] each of the three experts gets its own questions', async () => {
    const probe = await openChat(stack.url(), token);
    const agentFor = async (message: string) => (await ask(probe, message)).end.metadata.agent;
    expect(await agentFor('How much torque does the engine have?')).toBe('specs');
    expect(await agentFor('I want to book an oil service appointment')).toBe('maintenance');
    expect(await agentFor('The engine overheats and a warning light is on, what is wrong?')).toBe(
      'troubleshooting',
    );
    await probe.close();
  });

  it('[chat-v1/follow-up] a follow-up is answered from the conversation so far', async () => {
    const probe = await openChat(stack.url(), await stack.token({ sub: 'follower' }));
    expectWhole(await ask(probe, 'What is the engine power?'));
    const { end } = await ask(probe, 'What was my first question?');
    expect(end.response).toContain('Your first question was: "What is the engine power?"');
    await probe.close();
  });

  it('[chat-v1/session-id] a conversation goes on in another connection by its session_id', async () => {
    const later = await stack.token({ sub: 'returning' });
    const session_id = 'a conversation of two connections';
    const first = await openChat(stack.url(), later);
    const { end } = await ask(first, { message: 'What is the engine power?', session_id });
    expect(end.session_id).toBe(session_id);
    await first.close();
    const second = await openChat(stack.url(), later);
    const recalled = await ask(second, { message: 'What was my first question?', session_id });
    expect(recalled.end.response).toContain('Your first question was: "What is the engine power?"');
    const elsewhere = await ask(second, 'What was my first question?');
    expect(elsewhere.end.response).toContain('This is your first question');
    await second.close();
  });
});
