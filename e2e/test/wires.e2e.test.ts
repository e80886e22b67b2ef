/** What all chat wires hold alike when something goes wrong behind them. */
import { ERRORS } from '@natter/proto';
import { connect, type Frame, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANSWER_MS } from '../src/chat.ts';
import { CHAT_WIRES, type ChatWire, type Seen } from '../src/chat-wires.ts';
import { reportFailures } from '../src/report-failures.ts';

const QUESTION = 'What is the engine power?';
const CORRELATION_ID = /^[0-9a-f]{32}$/;
/** What only we know: addresses, files, exceptions, statuses of others, the broker and its subjects. */
const INTERNALS =
  /127\.0\.0\.1|localhost|https?:|\.ts\b|\/work|node_modules|econn|5\d\d |openai|nats|jetstream|\$JS|conv\.|stack|exception|zod|undefined|\[object/i;

let stack: Stack;
let token: string;
beforeAll(async () => {
  stack = await startStack({
    demo: { tokensPerSecond: 0, firstTokenMs: 0 },
    env: { NATTER_MODEL_RETRIES: '0', NATTER_ALLOWED_MODELS: 'good' },
  });
  token = await stack.token({ sub: 'alice' });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

function seen(wire: ChatWire, frame: Frame, ...kinds: Seen['kind'][]): boolean {
  return [wire.read(frame) ?? []].flat().some(({ kind }) => kinds.includes(kind));
}

/** Where each wire has its text, code and correlation id. */
function errorOf(frame: Frame) {
  const { code, correlation_id, error, content, message } = frame.data?.code ? frame.data : frame;
  return { code, correlation_id, text: error ?? content ?? message };
}

async function errorFor(wire: ChatWire, frame: (visit: { token: string }) => unknown): Promise<Frame> {
  const visit = { token, conversation: `errors of ${wire.name}` };
  const probe = await connect(stack.url() + wire.path(visit));
  probe.send(frame(visit));
  const error = await probe.next((frame) => seen(wire, frame, 'refused', 'end'), ANSWER_MS);
  await probe.close();
  return error;
}

describe.each(CHAT_WIRES)('an error on $name', (wire) => {
  it.each([
    ['status', { kind: 'status', status: 503 }],
    ['cut', { kind: 'cut', afterTokens: 2 }],
    ['garbage', { kind: 'garbage', afterTokens: 2 }],
  ] as const)(
    '[wires/no-internals] of a model that fails by %s tells nothing but a correlation id, which the agent has logged',
    async (_what, fault) => {
      await stack.demo.behave({ fault: { ...fault, on: 'answers' } });
      const frame = await errorFor(wire, (visit) => wire.ask(QUESTION, crypto.randomUUID(), visit));
      await stack.demo.behave({ fault: { kind: 'none' } });
      const { code, correlation_id, text } = errorOf(frame);
      expect(code).toBe('PROCESSING_ERROR');
      expect(text).toContain(ERRORS.PROCESSING_ERROR.text);
      expect(JSON.stringify(frame)).not.toMatch(INTERNALS);
      expect(correlation_id).toMatch(CORRELATION_ID);
      await stack.agents[0]?.line(new RegExp(correlation_id));
    },
  );

  it('[wires/no-internals] of a frame that is refused tells nothing but a correlation id', async () => {
    const frame = await errorFor(wire, (visit) => wire.ask(' ', 'm-1', visit));
    const { code, correlation_id } = errorOf(frame);
    expect(code).toBe('EMPTY_MESSAGE');
    expect(JSON.stringify(frame)).not.toMatch(INTERNALS);
    expect(correlation_id).toMatch(CORRELATION_ID);
  });
});

describe('an error over HTTP', () => {
  it('[wires/no-internals] of a model that fails tells nothing but a correlation id', async () => {
    await stack.demo.behave({ fault: { kind: 'status', status: 503, on: 'answers' } });
    const reply = await fetch(`${stack.httpUrl()}/api/v1/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ message: QUESTION }),
    });
    await stack.demo.behave({ fault: { kind: 'none' } });
    const { error, code, correlation_id } = (await reply.json()) as Record<string, string>;
    expect(code).toBe('PROCESSING_ERROR');
    expect(error).toBe(ERRORS.PROCESSING_ERROR.text);
    expect(correlation_id).toMatch(CORRELATION_ID);
    await stack.agents[0]?.line(new RegExp(correlation_id ?? 'none'));
  });
});
