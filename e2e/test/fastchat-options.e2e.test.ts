/** What a client of fastchat-v1 may choose: conversation, context, model, provider, tool servers. */
import { type Frame, type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ACCEPTED, askFastchat, dialFastchat, openFastchat, steps, textOf } from '../src/fastchat-chat.ts';
import { askedFor, type RecordingProxy, shownBefore, startRecordingProxy } from '../src/recording-proxy.ts';
import { reportFailures } from '../src/report-failures.ts';

const QUESTION = 'What is the engine power?';
const API_KEY = 'sk-of-the-operator';

let stack: Stack;
let proxy: RecordingProxy;
let shop: string;
beforeAll(async () => {
  proxy = await startRecordingProxy();
  stack = await startStack({
    gateways: 2,
    demo: { tokensPerSecond: 0, firstTokenMs: 0 },
    env: {
      OPENAI_BASE_URL: proxy.url,
      OPENAI_API_KEY: API_KEY,
      NATTER_ALLOWED_MODELS: 'my-model,other-model',
    },
  });
  proxy.target = stack.demo.ports.http ?? 0;
  shop = await stack.token({ sub: 'shop' });
});
afterAll(async () => {
  await stack?.stop();
  await proxy?.close();
});
reportFailures(() => stack);

const open: Probe[] = [];
afterEach(() => Promise.all(open.splice(0).map((probe) => probe.close())));

async function enter(query: Record<string, string> = {}, headers: Record<string, string> = {}, gateway = 0) {
  const probe = await openFastchat(stack.url(gateway), {
    query,
    headers: { 'ACCESS-TOKEN': shop, ...headers },
  });
  open.push(probe);
  return probe;
}

describe('the query', () => {
  it('[fastchat/chat-id] names a conversation that goes on over connections and gateways, and is the client’s own', async () => {
    await askFastchat(await enter({ chat_id: 'named' }), QUESTION);
    await askFastchat(await enter({ chat_id: 'named' }, {}, 1), 'The second?');
    expect(shownBefore(proxy, 'The second?')).toEqual([QUESTION, expect.stringContaining('132 kW')]);
    const token = await stack.token({ sub: 'bob' });
    await askFastchat(await enter({ chat_id: 'named' }, { 'ACCESS-TOKEN': token }), 'Of somebody else?');
    expect(shownBefore(proxy, 'Of somebody else?')).toEqual([]);
    await askFastchat(await enter(), 'Without a name?');
    expect(shownBefore(proxy, 'Without a name?')).toEqual([]);
  });

  it('[fastchat/len-context] [fastchat/len-context-default] says how many messages of it the model is shown: 20, or as many as are asked for', async () => {
    const first = await enter({ chat_id: 'long' });
    const said: string[] = [];
    for (let number = 1; number <= 11; number += 1) {
      said.push(`Number ${number} of eleven?`);
      await askFastchat(first, said.at(-1) as string);
    }
    await askFastchat(await enter({ chat_id: 'long' }), 'By default?');
    expect(shownBefore(proxy, 'By default?')).toHaveLength(20);
    expect(shownBefore(proxy, 'By default?')[0]).toBe(said[1]);
    const visits: [string, number][] = [
      ['0', 0],
      ['1', 1],
      ['4', 4],
      ['100', 30],
    ];
    for (const [len_context, count] of visits) {
      const question = `With ${len_context}?`;
      await askFastchat(await enter({ chat_id: 'long', len_context }), question);
      expect([len_context, shownBefore(proxy, question).length]).toEqual([len_context, count]);
    }
  });

  it('[fastchat/model] [fastchat/llm-provider] [fastchat/env-openai] chooses model and provider, who is asked with the key of the operator', async () => {
    const last = async (query: Record<string, string>, question: string) => {
      const frames = await askFastchat(await enter(query), question);
      expect(frames.at(-1).meta.model).toBe(askedFor(proxy, question).model);
      return askedFor(proxy, question);
    };
    const usual = await last({}, 'The usual one?');
    const chosen = await last({ model: 'other-model', llm_provider: 'openai' }, 'The other one?');
    expect(chosen.model).toBe('other-model');
    expect(usual.model).not.toBe('other-model');
    for (const { authorization } of [usual, chosen]) expect(authorization).toBe(`Bearer ${API_KEY}`);
  });

  it.each([
    ['[fastchat/model-not-allowed] a model that is not allowed', { model: 'gpt-666' }, 'MODEL_NOT_ALLOWED'],
    ['[fastchat/unknown-provider] an unknown provider', { llm_provider: 'nobody' }, 'UNKNOWN_PROVIDER'],
    [
      'a provider without a key, which is none here',
      { llm_provider: 'openrouter', model: 'my-model' },
      'UNKNOWN_PROVIDER',
    ],
  ] as [string, Record<string, string>, string][])(
    '%s: one step says so and --eof follows, for each question',
    async (_what, query, code) => {
      const probe = await enter(query);
      const before = proxy.requests.length;
      for (const question of [QUESTION, 'Once more?']) {
        const frames = await askFastchat(probe, question);
        const errors = frames.filter((frame: Frame) => frame.step === 'Error');
        expect(errors).toEqual([
          {
            type: 'step',
            step: 'Error',
            message: expect.any(String),
            data: null,
            code,
            correlation_id: expect.stringMatching(/^[0-9a-f]{32}$/),
          },
        ]);
        expect(frames.at(-1)).toEqual(errors[0]);
        expect(textOf(frames)).toBe('');
      }
      expect(proxy.requests).toHaveLength(before);
    },
  );

  it('that can’t be read is told, and the connection is of use', async () => {
    const probe = await dialFastchat(stack.url(), {
      headers: { 'ACCESS-TOKEN': shop },
      query: { len_context: 'ten' },
    });
    open.push(probe);
    expect(await probe.next()).toEqual(ACCEPTED);
    expect(await probe.next()).toMatchObject({ status: 'error', code: 'INVALID_FIELD' });
    expect(textOf(await askFastchat(probe, QUESTION))).toContain('132 kW');
  });
});

describe('tool servers', () => {
  const BAD = {
    sh: { protocol: 'stdio', config: { command: 'sh' } },
    inner: { protocol: 'httpstream', 'httpstream-url': 'http://169.254.169.254/latest/' },
    good: { protocol: 'httpstream', 'httpstream-url': 'https://api.example.com/mcp' },
    odd: { protocol: 'carrier pigeon' },
  };
  const NOTES = [
    expect.stringMatching(/"sh".*stdio/),
    expect.stringMatching(/"inner".*address/),
    expect.stringMatching(/"odd".*protocol/),
  ];

  it('[fastchat/servers-unusable] [fastchat/servers-stdio] [fastchat/servers-addresses] of the header that can’t be used are each named in a step of the answer', async () => {
    const probe = await enter({}, { aditional_servers: JSON.stringify(BAD) });
    const frames = await askFastchat(probe, QUESTION);
    expect(steps(frames, 'Note')).toEqual(NOTES);
    expect(textOf(frames)).toContain('132 kW');
  });

  const FORMS: [form: string, frame: string][] = [
    [
      '[fastchat/servers-frame-text] after a prefix',
      `__fastchat_additional_servers__:${JSON.stringify(BAD)}`,
    ],
    [
      '[fastchat/servers-frame-json] as a frame of JSON',
      JSON.stringify({ type: 'additional_servers', data: BAD }),
    ],
  ];

  it.each(FORMS)(
    '%s are taken as the first frame, without an answer, and as a question later',
    async (_form, frame) => {
      const probe = await enter({}, { aditional_servers: '{"other": {"protocol": "stdio"}}' });
      probe.send(frame);
      const frames = await askFastchat(probe, QUESTION);
      expect(frames.find(({ type }) => type === 'query')?.query).toBe(QUESTION);
      expect(steps(frames, 'Note')).toEqual(NOTES);
      const later = await askFastchat(probe, frame);
      expect(later.find(({ type }) => type === 'query')?.query).toBe(frame);
    },
  );

  it('are a question like any other more than 2 s after the confirmation, in either form', async () => {
    const probes = await Promise.all(FORMS.map(() => enter()));
    // The bound of PROTOCOLS, and some more: the gateway's clock is what counts.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    for (const [index, [, frame]] of FORMS.entries()) {
      const frames = await askFastchat(probes[index] as Probe, frame);
      expect(frames.find(({ type }) => type === 'query')?.query).toBe(frame);
    }
  });
});
