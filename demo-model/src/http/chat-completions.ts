/** `POST /v1/chat/completions`: from a request to an answer on its way. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answer } from '../answer/answer.ts';
import { type Conversation, readConversation } from '../answer/conversation.ts';
import type { Fault } from '../behaviour/behaviour.ts';
import type { BehaviourControl } from '../behaviour/behaviour-control.ts';
import { once } from '../delivery/once.ts';
import { GARBAGE, paceOf, planStream, statusError } from '../delivery/plan-fault.ts';
import { StreamDelivery } from '../delivery/stream-delivery.ts';
import type { Ticker } from '../delivery/ticker.ts';
import { type ChatRequest, decodeChatRequest, type Message } from '../wire/chat-request.ts';
import { Completion } from '../wire/completion.ts';
import { countTokens } from '../wire/tokens.ts';
import { ApiError, sendJson } from './api-error.ts';
import { readJsonBody } from './json-body.ts';
import type { RecordedRequest, RequestRecord } from './request-record.ts';

/** Requests being answered at once; above it they are refused with 503. */
const MAX_OPEN = 10_000;
/** What each message costs beside its text: role and separators. */
const TOKENS_PER_MESSAGE = 4;

export interface ChatCompletionsDeps {
  control: BehaviourControl;
  record: RequestRecord;
  ticker: Ticker;
  now: () => Date;
}

export class ChatCompletions {
  readonly #deps: ChatCompletionsDeps;
  #open = 0;

  constructor(deps: ChatCompletionsDeps) {
    this.#deps = deps;
  }

  /** Rejects with ApiError; else the answer is under way when it resolves. */
  async handle(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    if (this.#open >= MAX_OPEN)
      throw new ApiError({ status: 503, code: 'overloaded', message: `${MAX_OPEN} requests are open.` });
    this.#open += 1;
    response.once('close', () => {
      this.#open -= 1;
    });
    const { value, bytes } = await readJsonBody(request);
    const record = this.#deps.record.add(requestId, request.headers, value, bytes);
    const chat = decodeChatRequest(value);
    const conversation = readConversation(chat.messages);
    const fault = this.#deps.control.takeFault({
      lastUserText: conversation.questions.at(-1) ?? '',
      classification: chat.response_format?.type === 'json_schema',
    });
    response.once('close', () => settle(record, response, fault));
    if (fault.kind === 'status') throw statusError(fault);
    if (fault.kind === 'hang') return;
    this.#deliver(chat, conversation, fault, response, record);
  }

  #deliver(
    chat: ChatRequest,
    conversation: Conversation,
    fault: Fault,
    response: ServerResponse,
    record: RecordedRequest,
  ): void {
    const { control, ticker, now } = this.#deps;
    const startedAt = ticker.now();
    const at = now();
    const reply = answer(chat, {
      behaviour: control.behaviour,
      conversation,
      today: at.toISOString().slice(0, 10),
      callId: `call_${randomBytes(12).toString('hex')}`,
    });
    const completion = new Completion(
      {
        id: `chatcmpl-${randomBytes(12).toString('hex')}`,
        created: Math.floor(at.getTime() / 1_000),
        model: chat.model,
      },
      reply,
      promptTokens(chat.messages),
      chat.max_completion_tokens ?? chat.max_tokens ?? Number.POSITIVE_INFINITY,
    );
    const pace = paceOf(control.behaviour, fault, startedAt);
    if (chat.stream) {
      const plan = planStream(completion.frames(chat.stream_options?.include_usage === true), fault);
      new StreamDelivery(response, plan, pace, record, ticker).start();
      return;
    }
    const tokens = fault.kind === 'cut' ? Math.min(fault.afterTokens, completion.tokens) : completion.tokens;
    const cancel = once(ticker, pace.at(Math.max(tokens - 1, 0)), () => {
      if (fault.kind === 'cut') response.destroy();
      else if (fault.kind === 'garbage')
        response.writeHead(200, { 'content-type': 'application/json' }).end(GARBAGE);
      else {
        record.tokens = completion.tokens;
        sendJson(response, 200, completion.body());
      }
    });
    response.once('close', cancel);
  }
}

function settle(record: RecordedRequest, response: ServerResponse, fault: Fault): void {
  if (fault.kind === 'cut' || fault.kind === 'garbage' || fault.kind === 'status') record.outcome = 'faulted';
  else record.outcome = response.writableFinished ? 'completed' : 'aborted';
}

/** Tokens of all texts and tool calls, and four for each message. */
function promptTokens(messages: Message[]): number {
  let tokens = 0;
  for (const message of messages) {
    tokens += TOKENS_PER_MESSAGE + countTokens(message.content);
    if (message.role !== 'assistant') continue;
    for (const call of message.tool_calls ?? [])
      tokens += countTokens(call.function.name) + countTokens(call.function.arguments);
  }
  return tokens;
}
