import type { TurnOptions } from '@natter/proto';
import { createLogger } from '@natter/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createModels, type Models } from '../../src/agents/model-choice.ts';
import { createOpenAiModel } from '../../src/model/openai/openai-model.ts';
import { fails, type ScriptedServer, says, startScriptedServer } from '../model/openai/scripted-server.ts';

let first: ScriptedServer;
let second: ScriptedServer;
let models: Models;
beforeEach(async () => {
  first = await startScriptedServer(says('one'));
  second = await startScriptedServer(fails(503), says('two'));
  models = createModels(
    {
      usual: 'openai',
      options: new Map([
        ['openai', { baseUrl: first.url, apiKey: 'key-1', model: 'usual-1', classifierModel: 'small-1' }],
        ['openrouter', { baseUrl: second.url, apiKey: 'key-2', model: 'usual-2' }],
      ]),
      names: new Map([
        ['openai', 'openai'],
        ['openrouter', 'openrouter'],
      ]),
    },
    ['x/big'],
    createOpenAiModel,
  );
});
afterEach(async () => {
  await first.close();
  await second.close();
});

async function say(options: TurnOptions, purpose: 'answer' | 'classify' = 'answer') {
  const { model, name } = models.choose(options);
  let text = '';
  const request = {
    purpose,
    ...(name === undefined || purpose === 'classify' ? {} : { model: name }),
    messages: [{ role: 'user' as const, content: 'hello' }],
    traceparent: '00-11111111111111111111111111111111-2222222222222222-01',
    signal: new AbortController().signal,
    log: createLogger('test', 'silent'),
  };
  await model.ask(request, (piece) => {
    text += piece;
  });
  return text;
}
const asked = ({ requests }: ScriptedServer) =>
  requests.map(({ headers, body }) => [headers.authorization, body.model]);

describe('turns that name provider and model', () => {
  it('reach the usual provider with its key and model when they name none', async () => {
    expect(await say({})).toBe('one');
    expect(await say({}, 'classify')).toBe('one');
    expect(asked(first)).toEqual([
      ['Bearer key-1', 'usual-1'],
      ['Bearer key-1', 'small-1'],
    ]);
    expect(second.requests).toEqual([]);
  });

  it('[fastchat/llm-provider] reach the provider they name, with its own key and the model they name, repeats included', async () => {
    expect(await say({ provider: 'openrouter', model: 'x/big' })).toBe('two');
    expect(await say({ provider: 'openrouter' })).toBe('two');
    expect(asked(second)).toEqual([
      ['Bearer key-2', 'x/big'],
      ['Bearer key-2', 'x/big'],
      ['Bearer key-2', 'usual-2'],
    ]);
    expect(first.requests).toEqual([]);
  });

  it('do not change the model of the turns after them', async () => {
    await say({ model: 'x/big' });
    await say({});
    expect(asked(first).map(([, model]) => model)).toEqual(['x/big', 'usual-1']);
  });
});
