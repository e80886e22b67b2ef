/** What a client may send wrong: the code it gets, and that the socket and the stack go on. */
import { randomBytes } from 'node:crypto';
import { connect as dial } from 'node:net';
import { ERRORS, type ErrorCode, LIMITS } from '@natter/proto';
import { connect, type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { census } from '../src/alive.ts';
import { ask, expectWhole, openChat } from '../src/chat.ts';
import { signedByAStranger, signedByNobody } from '../src/foreign-token.ts';
import { reportFailures } from '../src/report-failures.ts';

let stack: Stack;
let token: string;
let before: Record<string, string>;
beforeAll(async () => {
  stack = await startStack({ demo: { tokensPerSecond: 0, firstTokenMs: 0 } });
  token = await stack.token({ sub: 'alice', name: 'Alice' });
  before = await census(stack);
});
afterEach(async () => {
  // Nothing that a client sends ends a process.
  expect(await census(stack)).toEqual(before);
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

async function expectError(probe: Probe, code: ErrorCode): Promise<void> {
  expect(await probe.next()).toEqual({
    type: 'error',
    error: ERRORS[code].text,
    code,
    correlation_id: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
}

/** The socket works as if nothing had happened. */
async function expectUsable(probe: Probe): Promise<void> {
  expectWhole(await ask(probe, 'What is the engine power?'));
}

async function expectRefused(probe: Probe, code: 'INVALID_TOKEN' | 'TOKEN_EXPIRED'): Promise<void> {
  expect(await probe.next()).toMatchObject({ type: 'auth_error', message: 'Invalid token', code });
}

async function signIn(probe: Probe): Promise<void> {
  probe.send({ type: 'auth', token });
  await probe.nextOfType('auth_success');
}

describe('a token', () => {
  it('[bad-input/no-token] missing: a message gets AUTH_REQUIRED, and signing in helps', async () => {
    const probe = await connect(`${stack.url()}/ws/chat`);
    probe.send({ type: 'message', message: 'What is the engine power?' });
    await expectError(probe, 'AUTH_REQUIRED');
    await signIn(probe);
    await expectUsable(probe);
    await probe.close();
  });

  it('[bad-input/bad-token] refused in the query and in a frame, and a good one is taken after it', async () => {
    const probe = await connect(`${stack.url()}/ws/chat?token=not.a.token`);
    await expectRefused(probe, 'INVALID_TOKEN');
    probe.send({ type: 'message', message: 'What is the engine power?' });
    await expectError(probe, 'AUTH_REQUIRED');
    const tampered = `${token.slice(0, -8)}AAAAAAAA`;
    for (const bad of ['', 'x', tampered, 'a'.repeat(5_000), 5, null, {}, undefined]) {
      probe.send({ type: 'auth', token: bad });
      await expectRefused(probe, 'INVALID_TOKEN');
    }
    await signIn(probe);
    await expectUsable(probe);
    await probe.close();
  });

  it('[bad-input/expired-token] expired is told apart by its code', async () => {
    const expired = await stack.token({ sub: 'alice', ttlS: -60 });
    const probe = await connect(`${stack.url()}/ws/chat?token=${expired}`);
    await expectRefused(probe, 'TOKEN_EXPIRED');
    probe.send({ type: 'auth', token: expired });
    await expectRefused(probe, 'TOKEN_EXPIRED');
    await signIn(probe);
    await expectUsable(probe);
    await probe.close();
  });

  it('[bad-input/other-signer] of a stranger, or of nobody, is refused', async () => {
    const probe = await connect(`${stack.url()}/ws/chat?token=${signedByAStranger(token)}`);
    await expectRefused(probe, 'INVALID_TOKEN');
    probe.send({ type: 'auth', token: signedByNobody(token) });
    await expectRefused(probe, 'INVALID_TOKEN');
    await signIn(probe);
    await expectUsable(probe);
    await probe.close();
  });

  it('[chat-v1/auth-frame] may say Bearer before itself, in the frame and in the query', async () => {
    const probe = await connect(`${stack.url()}/ws/chat`);
    probe.send({ type: 'auth', token: `Bearer ${token}` });
    expect(await probe.next()).toMatchObject({ type: 'auth_success', user: { id: 'alice' } });
    await probe.close();
    const other = await connect(`${stack.url()}/ws/chat?token=Bearer%20${token}`);
    expect(await other.next()).toMatchObject({ type: 'auth_success', user: { id: 'alice' } });
    await other.close();
  });

  it('[chat-v1/first-message-at-once] in the query lets the first message be sent right behind it', async () => {
    const probe = await connect(`${stack.url()}/ws/chat?token=${token}`);
    probe.send({ type: 'message', message: 'What is the engine power?' });
    await probe.nextOfType('auth_success');
    expect(await probe.nextOfType('complete', 30_000)).toMatchObject({ type: 'complete' });
    await probe.close();
  });

  it('[bad-input/long-token] as long as a token may be is refused as a token, not as a request', async () => {
    const long = 'a'.repeat(LIMITS.tokenBytes);
    const probe = await connect(`${stack.url()}/ws/chat?token=${long}`);
    await expectRefused(probe, 'INVALID_TOKEN');
    await probe.close();
    const headers = { authorization: `Bearer ${long}` };
    const response = await fetch(`${stack.httpUrl()}/api/v1/chat`, { method: 'POST', headers, body: '{}' });
    expect(response.status).toBe(401);
  });

  it('[bad-input/auth-after-auth] that is bad leaves the one before it in force', async () => {
    const probe = await openChat(stack.url(), token);
    probe.send({ type: 'auth', token: 'nonsense' });
    await expectRefused(probe, 'INVALID_TOKEN');
    await expectUsable(probe);
    await probe.close();
  });
});

describe('a frame', () => {
  let probe: Probe;
  beforeAll(async () => {
    probe = await openChat(stack.url(), token);
  });
  afterEach(() => expectUsable(probe));
  afterAll(() => probe?.close());

  it('[bad-input/empty-message] with an empty, blank or missing message gets EMPTY_MESSAGE', async () => {
    for (const message of ['', ' ', '\t\n\u00a0', undefined, null, 7, ['text'], { text: 'x' }]) {
      probe.send({ type: 'message', message });
      await expectError(probe, 'EMPTY_MESSAGE');
    }
  });

  it('[bad-input/long-message] above 16,000 characters gets MESSAGE_TOO_LONG', async () => {
    probe.send({ type: 'message', message: 'a'.repeat(16_001) });
    await expectError(probe, 'MESSAGE_TOO_LONG');
  });

  it('[bad-input/bad-json] that is no JSON object gets INVALID_JSON', async () => {
    const deep = '['.repeat(30_000);
    for (const text of ['{', '', 'hello', 'null', '[]', '"text"', '1', '{"type":"message",}', deep]) {
      probe.send(text);
      await expectError(probe, 'INVALID_JSON');
    }
  });

  it('[bad-input/unknown-type] of an unknown type, or none, gets UNKNOWN_TYPE', async () => {
    for (const type of ['subscribe', '', '__proto__', 'toString', null, 7, undefined, ['message']]) {
      probe.send({ type, message: 'What is the engine power?' });
      await expectError(probe, 'UNKNOWN_TYPE');
    }
  });

  it('[bad-input/binary] of random bytes gets INVALID_JSON', async () => {
    for (const size of [0, 1, 100, 10_000]) {
      probe.send(new Uint8Array(randomBytes(size)));
      await expectError(probe, 'INVALID_JSON');
    }
  });
});

describe('an id', () => {
  let probe: Probe;
  beforeAll(async () => {
    probe = await openChat(stack.url(), token);
  });
  afterAll(() => probe?.close());

  const FIELDS = ['session_id', 'customer_id', 'message_id'] as const;
  const STRANGE = [
    '🚗💬',
    '>',
    '*',
    '$JS.API.>',
    '__proto__',
    'a.b',
    ' ',
    '\u0000\r\n',
    "'; --",
    'é'.repeat(64),
  ];

  it.for(STRANGE)('[bad-input/strange-ids] may be %j: it is a name like any other', async (id) => {
    const question = 'Which maintenance appointments do I have?';
    const answer = await ask(probe, {
      message: question,
      session_id: id,
      customer_id: id,
      message_id: `${id.slice(0, 16)} 1`,
    });
    expectWhole(answer);
    expect(answer.end).toMatchObject({ session_id: id, metadata: { agent: 'maintenance' } });
    const recalled = await ask(probe, {
      message: 'What was my first question?',
      session_id: id,
      message_id: id,
    });
    expect(recalled.end.response).toContain(`Your first question was: "${question}"`);
  });

  it('[bad-input/bad-ids] longer than 128 bytes, or no text, gets INVALID_FIELD', async () => {
    const bad = ['a'.repeat(10_000), 'a'.repeat(129), '🚗'.repeat(33), '\ud800', 5, true, {}, ['a']];
    for (const field of FIELDS)
      for (const id of bad) {
        probe.send({ type: 'message', message: 'What is the engine power?', [field]: id });
        await expectError(probe, 'INVALID_FIELD');
      }
    await expectUsable(probe);
  });
});

describe('bytes the wire can’t take', () => {
  it('[bad-input/huge-frame] a frame of 10 MB closes its socket with 1009, and only that', async () => {
    const other = await openChat(stack.url(), token);
    const probe = await openChat(stack.url(), token);
    probe.send(`{"type":"message","message":"${'a'.repeat(10_000_000)}"}`);
    expect(await probe.closing(30_000)).toEqual({ code: 1009, reason: 'Frame too large' });
    await expectUsable(other);
    await other.close();
  });

  it('[bad-input/not-utf8] a text frame that is not UTF-8 is refused, and only its socket', async () => {
    const other = await openChat(stack.url(), token);
    const probe = await openChat(stack.url(), token);
    probe.socket.send(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), { binary: false });
    expect([1006, 1007]).toContain((await probe.closing()).code);
    await expectUsable(other);
    await other.close();
  });

  it('[bad-input/not-http] garbage on the port, or a frame of garbage, leaves the gateway alone', async () => {
    const port = stack.gateways[0]?.ports.http ?? 0;
    for (const bytes of [
      randomBytes(4_096),
      Buffer.alloc(100_000, 'A'),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    ]) {
      const socket = dial(port, '127.0.0.1');
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      socket.on('error', () => undefined).on('data', () => undefined);
      socket.end(bytes);
      await closed;
    }
    const probe = await openChat(stack.url(), token);
    // A reserved opcode, unmasked: RFC 6455 section 5.1 lets a server only close.
    (probe.socket as unknown as { _socket: { write(bytes: Uint8Array): void } })._socket.write(
      Buffer.from([0x8f, 0x05, 1, 2, 3, 4, 5]),
    );
    await probe.closing();
    const next = await openChat(stack.url(), token);
    await expectUsable(next);
    await next.close();
  });
});
