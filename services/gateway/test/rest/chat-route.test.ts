import { conversationKey, type RunEnd, type Turn } from '@natter/proto';
import { BusError, createLogger } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import type { Follower } from '../../src/bus/conversation-hub.ts';
import { runId } from '../../src/bus/run-id.ts';
import { type ChatRouteDeps, chatRoute } from '../../src/rest/chat-route.ts';
import type { HttpReply } from '../../src/rest/route.ts';

const METADATA = { agent: 'specs', confidence: 1, sources: ['a.md'], model: 'm', usage: null };
const PRINCIPAL = { sub: 'alice', email: null, name: null, roles: [], scopes: [], expiresAt: 4_000_000_000 };
const COMPLETED: RunEnd = { type: 'run.completed', text: '42', metadata: METADATA };

function rig(deps: Partial<ChatRouteDeps> = {}) {
  const stopping = new AbortController();
  const client = new AbortController();
  const followed: {
    conversation: string;
    run: string;
    follower: Follower;
    stopped: boolean;
    repaired: number;
  }[] = [];
  const stored: Turn[] = [];
  const self = {
    followed,
    stored,
    stopping,
    client,
    /** Ends the run as soon as its question is stored; null: it goes on. */
    end: COMPLETED as RunEnd | null,
    duplicate: false,
    async ask(body: unknown, headers: Record<string, string> = { authorization: 'Bearer alice' }) {
      const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
      const reply = (await route.handle({
        param: () => '',
        query: () => undefined,
        header: (name) => headers[name] ?? '',
        body: bytes,
        pieces: (async function* () {})(),
        signal: client.signal,
      })) as HttpReply;
      return { status: reply.status, headers: reply.headers, body: JSON.parse(String(reply.body)) };
    },
  };
  const route = chatRoute({
    auth: {
      verify: async (token) => {
        if (token === 'down') throw new BusError('UNAVAILABLE', 'nobody answers');
        if (token === 'old') return { ok: false, reason: 'expired' };
        return token === 'alice' ? { ok: true, principal: PRINCIPAL } : { ok: false, reason: 'invalid' };
      },
    },
    hub: {
      follow: (conversation, run, follower) => {
        const one = { conversation, run, follower, stopped: false, repaired: 0 };
        followed.push(one);
        const stop = () => {
          one.stopped = true;
        };
        const repair = () => {
          one.repaired += 1;
        };
        return { stop, repair };
      },
    },
    turns: {
      store: async (turn) => {
        stored.push(turn);
        const { end } = self;
        const run = {
          room: null,
          session: 's',
          run: turn.run,
          text: '',
          textJson: '',
          asked: null,
          cursor: null,
          atMs: 0,
        };
        if (end !== null) followed[0]?.follower.deliver(end, null, run);
        return { duplicate: self.duplicate };
      },
    },
    questions: { take: () => 0 },
    rates: { take: async () => 0 },
    log: createLogger('gateway', 'silent'),
    now: () => 1_000,
    answerTimeoutMs: 60_000,
    stopping: stopping.signal,
    ...deps,
  });
  return self;
}

describe('POST /api/v1/chat', () => {
  it('answers with the whole answer, and with what is needed to ask again', async () => {
    const one = rig();
    const { status, body } = await one.ask({
      message: 'What?',
      session_id: 's',
      message_id: 'm',
      customer_id: 'c',
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      response: '42',
      session_id: 's',
      message_id: 'm',
      metadata: { agent: 'specs' },
    });
    expect(body).not.toHaveProperty('type');
    const conversation = conversationKey('alice', 's');
    const run = runId('alice', conversation, 'm');
    expect(one.stored).toMatchObject([{ run, conversation, sub: 'alice', text: 'What?', customerId: 'c' }]);
    expect(one.followed).toMatchObject([{ conversation, run, stopped: true }]);
  });

  it('is another conversation each time when none is named', async () => {
    const one = rig();
    const [first, second] = [await one.ask({ message: 'a' }), await rig().ask({ message: 'a' })];
    expect(first.body.session_id).not.toBe(second.body.session_id);
    expect(first.body.message_id).not.toBe(second.body.message_id);
  });

  it('looks for the answer of a question that was asked before', async () => {
    const one = rig();
    one.duplicate = true;
    await one.ask({ message: 'a', session_id: 's', message_id: 'm' });
    expect(one.followed[0]?.repaired).toBe(1);
  });

  it.each([
    [{}, 401, 'AUTH_REQUIRED'],
    [{ authorization: 'Basic alice' }, 401, 'AUTH_REQUIRED'],
    [{ authorization: 'Bearer ' }, 401, 'AUTH_REQUIRED'],
    [{ authorization: 'Bearer forged' }, 401, 'INVALID_TOKEN'],
    [{ authorization: `Bearer ${'x'.repeat(5_000)}` }, 401, 'INVALID_TOKEN'],
    [{ authorization: 'Bearer old' }, 401, 'TOKEN_EXPIRED'],
    [{ authorization: 'Bearer down' }, 503, 'UNAVAILABLE'],
  ])('with %j is refused', async (headers, status, code) => {
    const one = rig();
    const reply = await one.ask({ message: 'a' }, headers as Record<string, string>);
    expect([reply.status, reply.body.code]).toEqual([status, code]);
    expect([one.stored, one.followed]).toEqual([[], []]);
  });

  it.each([
    ['not JSON', 'INVALID_JSON'],
    ['[]', 'INVALID_JSON'],
    ['null', 'INVALID_JSON'],
    ['{}', 'EMPTY_MESSAGE'],
    ['{"message":1}', 'EMPTY_MESSAGE'],
    [JSON.stringify({ message: 'a', session_id: 'x'.repeat(129) }), 'INVALID_FIELD'],
    ['{"message":" "}', 'EMPTY_MESSAGE'],
    [JSON.stringify({ message: 'x'.repeat(16_001) }), 'MESSAGE_TOO_LONG'],
  ])('of %j is refused', async (body, code) => {
    const one = rig();
    expect((await one.ask(body)).body.code).toBe(code);
    expect(one.stored).toEqual([]);
  });

  it.each([
    ['here', { questions: { take: () => 7 } }],
    ['over all gateways', { rates: { take: async () => 7 } }],
  ])('above the rate of the user %s is told when to come back', async (_, deps) => {
    const { status, headers, body } = await rig(deps).ask({ message: 'a' });
    expect([status, body.code]).toEqual([429, 'RATE_LIMIT']);
    expect(headers).toMatchObject({ 'retry-after': '7' });
  });

  it('that could not be stored says so without the inside of it, and is followed no more', async () => {
    const one = rig({
      turns: { store: () => Promise.reject(new BusError('SUBJECT_FULL', 'nats://10.0.0.1')) },
    });
    const { body } = await one.ask({ message: 'a' });
    expect(body.code).toBe('TOO_MANY_TURNS');
    expect(JSON.stringify(body)).not.toContain('10.0.0.1');
    await Promise.resolve();
    expect(one.followed[0]?.stopped).toBe(true);
  });

  it('whose run failed says so with the id that finds the cause', async () => {
    const one = rig();
    one.end = { type: 'run.failed', code: 'PROCESSING_ERROR', correlationId: 'abc' };
    const { body } = await one.ask({ message: 'a' });
    expect(body).toMatchObject({ code: 'PROCESSING_ERROR', correlation_id: 'abc' });
  });

  it('whose run was cancelled has what there is of an answer', async () => {
    const one = rig();
    one.end = { type: 'run.cancelled', text: 'half', by: 'alice' };
    expect((await one.ask({ message: 'a' })).body).toMatchObject({ response: 'half', cancelled: true });
  });

  it('waits no longer than it may; the run goes on', async () => {
    const one = rig({ answerTimeoutMs: 1 });
    one.end = null;
    const { status, body } = await one.ask({ message: 'a', session_id: 's', message_id: 'm' });
    expect([status, body.code, body.session_id, body.message_id]).toEqual([504, 'TIMEOUT', 's', 'm']);
    expect(one.followed[0]?.stopped).toBe(true);
  });

  it('is answered when the gateway stops, also one that comes then', async () => {
    const one = rig();
    one.end = null;
    const reply = one.ask({ message: 'a', session_id: 's', message_id: 'm' });
    one.stopping.abort();
    expect((await reply).body).toMatchObject({ code: 'SHUTTING_DOWN', message_id: 'm' });
    expect((await one.ask({ message: 'b' })).body.code).toBe('SHUTTING_DOWN');
  });

  it('is followed no more when its client has gone', async () => {
    const one = rig();
    one.end = null;
    const reply = one.ask({ message: 'a' });
    await new Promise((resolve) => setImmediate(resolve));
    one.client.abort();
    await reply;
    expect(one.followed[0]?.stopped).toBe(true);
  });

  it('is not stored when its client has gone before', async () => {
    const one = rig();
    one.client.abort();
    await one.ask({ message: 'a' });
    expect(one.stored).toEqual([]);
  });
});
