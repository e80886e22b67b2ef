import { createLogger } from '@natter/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import type { ModelRequest } from '../../../src/model/model.ts';
import { createOpenAiModel } from '../../../src/model/openai/openai-model.ts';
import type { ModelOptions } from '../../../src/model/providers.ts';
import {
  delta,
  fails,
  type ScriptedReply,
  type ScriptedServer,
  says,
  sse,
  startScriptedServer,
  usage,
} from './scripted-server.ts';

let server: ScriptedServer;
afterEach(() => server.close());

const request = (extra: Partial<ModelRequest> = {}): ModelRequest => ({
  purpose: 'answer',
  messages: [{ role: 'user', content: 'hello' }],
  traceparent: '00-11111111111111111111111111111111-2222222222222222-01',
  signal: new AbortController().signal,
  log: createLogger('test', 'silent'),
  ...extra,
});

async function ask(
  replies: ScriptedReply[],
  extra: Partial<ModelRequest> = {},
  options: Partial<ModelOptions> = {},
) {
  server = await startScriptedServer(...replies);
  const model = createOpenAiModel({ baseUrl: server.url, apiKey: 'k', model: 'big', ...options });
  const pieces: string[] = [];
  try {
    const finish = await model.ask(request(extra), (piece) => void pieces.push(piece));
    return { pieces, text: pieces.join(''), error: null, finish };
  } catch (error) {
    return { pieces, text: pieces.join(''), error: error as { code?: string; cause?: unknown } };
  }
}

describe('a reply', () => {
  it('arrives text by text and ends with the usage and the name of the model', async () => {
    const { pieces, finish } = await ask([says('Hel', 'lo')]);
    expect(pieces).toEqual(['Hel', 'lo']);
    expect(finish).toEqual({
      reason: 'stop',
      toolCalls: [],
      usage: { inputTokens: 10, outputTokens: 2 },
      model: 'scripted-1',
    });
  });

  it('has no usage where the provider reports none and ends without [DONE]', async () => {
    const { finish, text } = await ask([
      (response) => {
        sse(response, delta({ content: 'ok' }, 'stop'));
        response.end();
      },
    ]);
    expect(text).toBe('ok');
    expect(finish).toMatchObject({ usage: null, reason: 'stop' });
  });

  it('is whole although the connection breaks after its end', async () => {
    const { finish, error } = await ask([
      (response) => {
        sse(response, delta({ content: 'ok' }), delta({}, 'stop'));
        setImmediate(() => response.destroy());
      },
    ]);
    expect(error).toBeNull();
    expect(finish?.reason).toBe('stop');
  });

  it('tells when the provider cut it at its longest', async () => {
    const { finish } = await ask([
      (response) => {
        sse(response, delta({ content: 'half' }, 'length'), usage(1, 1), '[DONE]');
        response.end();
      },
    ]);
    expect(finish?.reason).toBe('length');
  });

  it('is asked for with streaming, usage, tools, schema, limits and the trace', async () => {
    await ask([says('x')], {
      messages: [
        { role: 'system', content: 's' },
        { role: 'assistant', content: '', toolCalls: [{ id: 'a', tool: 't', arguments: '{}' }] },
        { role: 'tool', callId: 'a', content: 'r' },
      ],
      tools: [{ name: 't', description: 'd', parameters: { type: 'object' } }],
      toolChoice: 'none',
      reply: { name: 'n', schema: { type: 'object' } },
      temperature: 0,
      maxTokens: 7,
    });
    const [sent] = server.requests;
    expect(sent?.headers).toMatchObject({
      authorization: 'Bearer k',
      traceparent: '00-11111111111111111111111111111111-2222222222222222-01',
    });
    expect(sent?.body).toEqual({
      model: 'big',
      stream: true,
      stream_options: { include_usage: true },
      messages: [
        { role: 'system', content: 's' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'a', type: 'function', function: { name: 't', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'a', content: 'r' },
      ],
      tools: [
        { type: 'function', function: { name: 't', description: 'd', parameters: { type: 'object' } } },
      ],
      tool_choice: 'none',
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'n', schema: { type: 'object' }, strict: true },
      },
      temperature: 0,
      max_tokens: 7,
    });
  });

  it('of a classification comes from the classifier model', async () => {
    await ask([says('x')], { purpose: 'classify' }, { classifierModel: 'small' });
    expect(server.requests[0]?.body.model).toBe('small');
  });
});

describe('tool calls', () => {
  it('are put together from pieces that arrive interleaved', async () => {
    const call = (index: number, fields: object) => delta({ tool_calls: [{ index, ...fields }] });
    const { finish } = await ask([
      (response) => {
        sse(
          response,
          call(0, { id: 'a', type: 'function', function: { name: 'find', arguments: '' } }),
          call(1, { id: 'b', type: 'function', function: { name: 'book', arguments: '{"da' } }),
          call(0, { function: { arguments: '{}' } }),
          call(1, { function: { arguments: 'te":1}' } }),
          delta({}, 'tool_calls'),
          '[DONE]',
        );
        response.end();
      },
    ]);
    expect(finish).toMatchObject({
      reason: 'tool_calls',
      toolCalls: [
        { id: 'a', tool: 'find', arguments: '{}' },
        { id: 'b', tool: 'book', arguments: '{"date":1}' },
      ],
    });
  });
});

describe('before the first token', () => {
  it.each([429, 500, 503, 408, 409])('a %i is tried again', async (status) => {
    const { text } = await ask([fails(status, { 'retry-after-ms': '1' }), says('ok')]);
    expect(text).toBe('ok');
    expect(server.requests).toHaveLength(2);
  });

  it('a connection that breaks is tried again', async () => {
    const { text } = await ask([(response) => response.destroy(), says('ok')]);
    expect(text).toBe('ok');
  });

  it('a stream that ends with nothing is tried again', async () => {
    const empty: ScriptedReply = (response) => {
      sse(response, delta({ role: 'assistant', content: '' }));
      response.end();
    };
    expect((await ask([empty, says('ok')])).text).toBe('ok');
  });

  it('the server is asked as often as configured, then the run hears why', async () => {
    const { error } = await ask([fails(500)], {}, { retries: 1 });
    expect(error).toMatchObject({ name: 'ModelError', code: 'UNREACHABLE' });
    expect(error?.cause).toBeDefined();
    expect(server.requests).toHaveLength(2);
  });

  it('a server that wants a minute is not waited for', async () => {
    const { error } = await ask([fails(429, { 'retry-after': '60' }), says('ok')]);
    expect(error?.code).toBe('RATE_LIMITED');
    expect(server.requests).toHaveLength(1);
  });

  it.each([400, 401, 403, 404])('a %i is final', async (status) => {
    const { error } = await ask([fails(status), says('ok')]);
    expect(error?.code).toBe('REFUSED');
    expect(server.requests).toHaveLength(1);
  });

  it('a server that says nothing runs into the timeout, once', async () => {
    const { error } = await ask([() => undefined], {}, { firstTokenTimeoutMs: 100 });
    expect(error?.code).toBe('TIMEOUT');
    expect(server.requests).toHaveLength(1);
  });

  it('nobody listening is UNREACHABLE', async () => {
    server = await startScriptedServer(says('x'));
    await server.close();
    const model = createOpenAiModel({ baseUrl: server.url, apiKey: 'k', model: 'm', retries: 0 });
    await expect(model.ask(request(), () => undefined)).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });
});

describe('after the first token', () => {
  const begins =
    (then: ScriptedReply): ScriptedReply =>
    (response) => {
      sse(response, delta({ content: 'half' }));
      then(response);
    };

  it.each<[string, string, ScriptedReply]>([
    ['a stream that ends without a finish', 'CUT_OFF', (response) => response.end()],
    ['a connection that breaks', 'CUT_OFF', (response) => setTimeout(() => response.destroy(), 20)],
    ['broken JSON', 'BAD_REPLY', (response) => sse(response, '{"choices":[')],
    ['a chunk that is no object', 'BAD_REPLY', (response) => sse(response, 'null')],
    ['a pause', 'TIMEOUT', () => undefined],
    ['a filtered end', 'REFUSED', (response) => sse(response, delta({}, 'content_filter'))],
    [
      'an error of the server',
      'UNREACHABLE',
      (response) => sse(response, { error: { code: 502, message: 'x' } }),
    ],
  ])('%s ends the reply with %s and nothing is repeated', async (_name, code, then) => {
    const { error, text } = await ask([begins(then), says('again')], {}, { tokenTimeoutMs: 100 });
    expect(error).toMatchObject({ name: 'ModelError', code });
    expect(text).toBe('half');
    expect(server.requests).toHaveLength(1);
  });

  it('tokens that come slowly but steadily end at the limit for the whole', async () => {
    let timer: NodeJS.Timeout | undefined;
    const drip: ScriptedReply = (response) => {
      timer = setInterval(() => sse(response, delta({ content: '.' })), 20);
      response.on('close', () => clearInterval(timer));
    };
    const { error, text } = await ask([drip], {}, { tokenTimeoutMs: 5_000, timeoutMs: 300 });
    expect(error?.code).toBe('TIMEOUT');
    expect(text.length).toBeGreaterThan(1);
  });

  it('a reply beyond the longest answer is TOO_LONG', async () => {
    const { error } = await ask([
      begins((response) => sse(response, delta({ content: 'x'.repeat(200_000) }))),
    ]);
    expect(error?.code).toBe('TOO_LONG');
  });
});

describe('whoever asked', () => {
  it('can cancel, and gets their own reason while the server sees the connection close', async () => {
    const controller = new AbortController();
    const closed = Promise.withResolvers<void>();
    server = await startScriptedServer((response) => {
      response.on('close', () => closed.resolve());
      sse(response, delta({ content: 'half' }));
    });
    const model = createOpenAiModel({ baseUrl: server.url, apiKey: 'k', model: 'm' });
    const reason = new Error('cancelled');
    const asking = model.ask(request({ signal: controller.signal }), () => controller.abort(reason));
    await expect(asking).rejects.toBe(reason);
    await closed.promise;
  });

  it('can refuse a text, gets that very error, and the server sees the connection close', async () => {
    const closed = Promise.withResolvers<void>();
    server = await startScriptedServer((response) => {
      response.on('close', () => closed.resolve());
      sse(response, delta({ content: 'half' }));
    });
    const model = createOpenAiModel({ baseUrl: server.url, apiKey: 'k', model: 'm' });
    const refused = new Error('no more');
    const asking = model.ask(request(), () => {
      throw refused;
    });
    await expect(asking).rejects.toBe(refused);
    await closed.promise;
    expect(server.requests).toHaveLength(1);
  });

  it('shares the adapter with 200 others whose streams are all open at once', async () => {
    const waiting: (() => void)[] = [];
    server = await startScriptedServer((response) => {
      sse(response, delta({ content: 'a' }));
      waiting.push(() => {
        sse(response, delta({ content: 'b' }, 'stop'), usage(1, 1), '[DONE]');
        response.end();
      });
      if (waiting.length === 200) for (const finish of waiting) finish();
    });
    const model = createOpenAiModel({ baseUrl: server.url, apiKey: 'k', model: 'm' });
    const texts = await Promise.all(
      Array.from({ length: 200 }, async () => {
        let text = '';
        await model.ask(request(), (piece) => {
          text += piece;
        });
        return text;
      }),
    );
    expect(new Set(texts)).toEqual(new Set(['ab']));
    expect(server.mostOpen).toBe(200);
  });
});
