import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { VEHICLE_PROMPT } from './answer/vehicle.ts';
import { readAll, runModel } from './running-model.ts';
import { WORKSHOP_TOOLS } from './tools/workshop-tools.ts';

const QUOTE = 'The engine power is 110 kW (150 hp) at 5,500 rpm.';
const ANSWER = `${QUOTE}\n\n(Demo model: this answer is quoted from the knowledge base. Set OPENAI_API_KEY for a real model.)`;

const ask = (content: string, system = VEHICLE_PROMPT): OpenAI.ChatCompletionMessageParam[] => [
  { role: 'system', content: system },
  { role: 'user', content },
];
const POWER = { model: 'natter-demo', messages: ask('What is the engine power?') };

describe('chat completions with the official client', () => {
  it('answers whole', async () => {
    const { client } = await runModel();
    const { choices, usage, object } = await client.chat.completions.create(POWER);
    expect(choices[0]?.message.content).toBe(ANSWER);
    expect({ object, finish: choices[0]?.finish_reason }).toEqual({
      object: 'chat.completion',
      finish: 'stop',
    });
    expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
  });

  it('streams the role, the pieces, the finish reason and the usage', async () => {
    const { client, model } = await runModel({ tokensPerSecond: 2_000 });
    const stream = await client.chat.completions.create({
      ...POWER,
      stream: true,
      stream_options: { include_usage: true },
    });
    const { chunks, text, finishReason, usage } = await readAll(stream);
    expect(text).toBe(ANSWER);
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '', refusal: null });
    expect(chunks[1]?.choices[0]?.delta).toEqual({ content: 'The' });
    expect(finishReason).toBe('stop');
    expect(chunks.at(-1)?.choices).toEqual([]);
    // Between the role before them and the finish reason and usage after them.
    expect(usage?.completion_tokens).toBe(chunks.length - 3);
    expect(model.requests[0]).toMatchObject({
      outcome: 'completed',
      tokens: chunks.length - 3,
      body: { model: 'natter-demo', stream: true },
      headers: { authorization: 'Bearer none' },
    });
  });

  it('stops at max_tokens', async () => {
    const { client } = await runModel();
    const stream = await client.chat.completions.create({ ...POWER, max_tokens: 3, stream: true });
    const { text, finishReason } = await readAll(stream);
    expect({ text, finishReason }).toEqual({ text: 'The engine power', finishReason: 'length' });
  });

  it('continues an answer that broke off', async () => {
    const { client } = await runModel();
    const messages: OpenAI.ChatCompletionMessageParam[] = [
      ...POWER.messages,
      { role: 'assistant', content: ANSWER.slice(0, 25) },
      { role: 'system', content: 'Continue the answer exactly where it stopped.' },
    ];
    const { text } = await readAll(
      await client.chat.completions.create({ ...POWER, messages, stream: true }),
    );
    expect(ANSWER.slice(0, 25) + text).toBe(ANSWER);
  });

  it('classifies into the labels of a JSON schema', async () => {
    const { client } = await runModel();
    const schema = { type: 'object', properties: { agent: { type: 'string', enum: ['specs', 'service'] } } };
    const { choices } = await client.chat.completions.create({
      model: 'natter-demo',
      messages: ask('When is the next oil change due?', '- specs: power, torque\n- service: oil changes'),
      response_format: { type: 'json_schema', json_schema: { name: 'route', schema, strict: true } },
    });
    expect(choices[0]?.message.content).toBe('{"agent":"service"}');
  });

  it('calls a tool, streamed, and renders its result', async () => {
    const { client } = await runModel();
    const messages = ask('Book an oil change on 2026-12-01 at 10:00');
    const runner = client.chat.completions.stream({ model: 'natter-demo', messages, tools: WORKSHOP_TOOLS });
    const { choices } = await runner.finalChatCompletion();
    const call = choices[0]?.message.tool_calls?.[0];
    if (call?.type !== 'function') throw new Error('no call');
    expect(choices[0]?.finish_reason).toBe('tool_calls');
    expect({ name: call.function.name, arguments: JSON.parse(call.function.arguments) }).toEqual({
      name: 'book_appointment',
      arguments: { service: 'oil change', date: '2026-12-01', time: '10:00' },
    });

    const { choices: after } = await client.chat.completions.create({
      model: 'natter-demo',
      tools: WORKSHOP_TOOLS,
      messages: [
        ...messages,
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: call.id, type: 'function', function: call.function }],
        },
        { role: 'tool', tool_call_id: call.id, content: '{"booked":"oil change","date":"2026-12-01"}' },
      ],
    });
    expect(after[0]?.message.content).toMatch(/^Booked: oil change, date: 2026-12-01\.\n\n\(Demo model: /);
  });

  it('answers with a script or an echo when told, and still classifies', async () => {
    const { client, model } = await runModel();
    const text = async () => (await client.chat.completions.create(POWER)).choices[0]?.message.content;
    model.setBehaviour({ answer: 'echo' });
    expect(await text()).toBe('Echo: What is the engine power?');
    const script = 'One  two\nthree 🚗 '.repeat(2_000);
    model.setBehaviour({ script });
    expect((await readAll(await client.chat.completions.create({ ...POWER, stream: true }))).text).toBe(
      script,
    );
    model.setBehaviour({ script: null, answer: 'extract' });
    expect(await text()).toBe(ANSWER);
  });

  it('answers 200 streams at once, each with its own text', async () => {
    const { client, model } = await runModel({ tokensPerSecond: 500 });
    model.setBehaviour({ answer: 'echo' });
    const texts = await Promise.all(
      Array.from({ length: 200 }, async (_, at) => {
        const stream = await client.chat.completions.create({
          model: 'natter-demo',
          messages: [{ role: 'user', content: `question number ${at}` }],
          stream: true,
        });
        return (await readAll(stream)).text;
      }),
    );
    expect(texts).toEqual(texts.map((_, at) => `Echo: question number ${at}`));
  });
});

describe('other paths', () => {
  it('lists its model', async () => {
    const { client } = await runModel();
    const ids = (await client.models.list()).data.map(({ id }) => id);
    expect(ids).toEqual(['natter-demo']);
  });

  it('is told its behaviour over HTTP', async () => {
    const { root } = await runModel();
    const path = `${root}/demo/behaviour`;
    const post = (body: string, type = 'application/json') =>
      fetch(path, { method: 'POST', body, headers: { 'content-type': type } });
    expect(await (await post('{"tokensPerSecond":5}')).json()).toMatchObject({ tokensPerSecond: 5 });
    expect(await (await fetch(path)).json()).toMatchObject({ tokensPerSecond: 5, answer: 'extract' });
    expect((await post('{"tokensPerSecond":"fast"}')).status).toBe(400);
    // What a form on a foreign web page could send.
    expect((await post('{"tokensPerSecond":1}', 'text/plain')).status).toBe(415);
  });

  it('says 404, 405 and ok in JSON with a request id', async () => {
    const { root } = await runModel();
    const answers = await Promise.all(
      ['/nowhere', '/__proto__', '/v1/chat/completions', '/health'].map((path) => fetch(root + path)),
    );
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 405, 200]);
    for (const answer of answers) {
      expect(answer.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
      expect(await answer.json()).toBeTypeOf('object');
    }
  });

  it.each([
    ['no JSON', '{"model":', 400, 'invalid_json'],
    ['a body that is too large', ' '.repeat(5 * 1024 * 1024), 413, 'request_too_large'],
    ['a wrong field', '{"model":"m","messages":[{"role":"user"}]}', 400, 'invalid_value'],
    ['null', 'null', 400, 'invalid_value'],
  ])('refuses %s in the shape of an OpenAI error', async (_name, body, status, code) => {
    const { root } = await runModel();
    const response = await fetch(`${root}/v1/chat/completions`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      error: expect.objectContaining({ code, type: 'invalid_request_error', message: expect.any(String) }),
    });
  });
});
