/** Reads the chunks of one streamed reply, whatever a server puts into them. */
import { LIMITS, type TokenUsage } from '@natter/proto';
import type { ModelFinish, ToolCall } from '../model.ts';
import { ModelError } from '../model-error.ts';

/** More than the answer loop runs in one round; further ones are a server gone wrong. */
const MAX_TOOL_CALLS = 32;
const MAX_ARGUMENT_CHARS = 32_000;

/** Of an object that came from outside; nobody has checked them yet. */
type Fields = Record<string, unknown>;

interface PartialCall {
  id: string;
  tool: string;
  arguments: string;
}

export class ReplyReader {
  /** Whether the model has begun to reply; from then on nothing is repeated. */
  started = false;
  /** Whether the model said that the reply is whole. */
  finished = false;
  #model: string;
  #reason: ModelFinish['reason'] = 'stop';
  #chars = 0;
  #usage: TokenUsage | null = null;
  /** By the index the server gives them; servers that give none append to the newest. */
  readonly #calls: PartialCall[] = [];

  constructor(model: string) {
    this.#model = model;
  }

  /** Whether nothing more is worth waiting for. */
  get complete(): boolean {
    return this.finished && this.#usage !== null;
  }

  /** The text in a chunk, or an empty one. Throws ModelError for what no reply may hold. */
  take(chunk: unknown): string {
    if (!isObject(chunk)) throw new ModelError('BAD_REPLY', 'a chunk of the reply is no object');
    if (isObject(chunk.usage)) this.#readUsage(chunk.usage);
    const choice = listOf(chunk.choices, 'choices')[0];
    if (choice === undefined) return '';
    if (!this.started && typeof chunk.model === 'string' && chunk.model !== '') this.#model = chunk.model;
    const text = isObject(choice.delta) ? this.#readDelta(choice.delta) : '';
    if (choice.finish_reason) this.#readFinish(choice.finish_reason);
    return text;
  }

  /** The end of the reply; throws CUT_OFF when the model never said so. */
  finish(): ModelFinish {
    if (!this.finished)
      throw new ModelError('CUT_OFF', 'the stream ended before the reply did', { retryable: true });
    const toolCalls = this.#calls.filter((call) => call !== undefined).map(checked);
    const reason = toolCalls.length > 0 ? 'tool_calls' : this.#reason;
    return { reason, toolCalls, usage: this.#usage, model: this.#model.slice(0, 128) };
  }

  #readDelta(delta: Fields): string {
    const calls = listOf(delta.tool_calls, 'tool calls');
    if (calls.length > 0) this.#readCalls(calls);
    // A refusal is what the model has to say, in a field of its own.
    const text = delta.content || delta.refusal || '';
    if (typeof text !== 'string') throw new ModelError('BAD_REPLY', 'the text of a chunk is no text');
    if (text === '') return '';
    this.started = true;
    this.#chars += text.length;
    if (this.#chars > LIMITS.answerChars)
      throw new ModelError('TOO_LONG', `the reply has more than ${LIMITS.answerChars} characters`);
    return text;
  }

  #readCalls(deltas: Fields[]): void {
    this.started = true;
    for (const delta of deltas) {
      const call = this.#callOf(delta);
      const named = isObject(delta.function) ? delta.function : {};
      if (typeof delta.id === 'string' && delta.id !== '') call.id = delta.id.slice(0, 128);
      if (typeof named.name === 'string' && call.tool === '') call.tool = named.name.slice(0, 64);
      if (typeof named.arguments === 'string') call.arguments += named.arguments;
      if (call.arguments.length > MAX_ARGUMENT_CHARS)
        throw new ModelError('BAD_REPLY', `tool arguments of more than ${MAX_ARGUMENT_CHARS} characters`);
    }
  }

  #callOf(delta: Fields): PartialCall {
    const isNew = delta.id !== undefined && delta.id !== '' && this.#calls.at(-1)?.id !== delta.id;
    const next = isNew || this.#calls.length === 0 ? this.#calls.length : this.#calls.length - 1;
    const index = Number.isInteger(delta.index) ? (delta.index as number) : next;
    if (index < 0 || index >= MAX_TOOL_CALLS)
      throw new ModelError('BAD_REPLY', `more than ${MAX_TOOL_CALLS} tool calls in one reply`);
    const known = this.#calls[index];
    if (known !== undefined) return known;
    const call = { id: '', tool: '', arguments: '' };
    this.#calls[index] = call;
    return call;
  }

  #readFinish(reason: unknown): void {
    if (typeof reason !== 'string') throw new ModelError('BAD_REPLY', 'the reason of the end is no text');
    if (reason === 'content_filter') throw new ModelError('REFUSED', 'the provider filtered the answer away');
    if (reason === 'error') throw new ModelError('CUT_OFF', 'the provider broke off', { retryable: true });
    this.finished = true;
    if (reason === 'length') this.#reason = 'length';
  }

  #readUsage(usage: Fields): void {
    const inputTokens = count(usage.prompt_tokens);
    const outputTokens = count(usage.completion_tokens);
    if (inputTokens !== null && outputTokens !== null) this.#usage = { inputTokens, outputTokens };
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

/** A list of objects, empty where there is none. */
function listOf(value: unknown, what: string): Fields[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isObject))
    throw new ModelError('BAD_REPLY', `the ${what} of a chunk are no list of objects`);
  return value;
}

function checked(call: PartialCall, position: number): ToolCall {
  if (call.tool === '') throw new ModelError('BAD_REPLY', 'a tool call names no tool');
  return { id: call.id || `call_${position}`, tool: call.tool, arguments: call.arguments };
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
