/** Requests as the chat completions API wants them. */
import type {
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import type { ModelMessage, ModelRequest } from '../model.ts';

/** The body of the request that asks `model`. */
export function toWire(
  request: ModelRequest,
  model: string,
  baseUrl: string,
): ChatCompletionCreateParamsStreaming {
  const body: ChatCompletionCreateParamsStreaming = {
    model,
    messages: request.messages.map(messageToWire),
    stream: true,
    stream_options: { include_usage: true },
  };
  if (request.temperature !== undefined) body.temperature = request.temperature;
  if (request.maxTokens !== undefined) {
    // OpenAI's newer models refuse `max_tokens`; most compatible servers know nothing else.
    if (URL.parse(baseUrl)?.hostname === 'api.openai.com') body.max_completion_tokens = request.maxTokens;
    else body.max_tokens = request.maxTokens;
  }
  if (request.tools !== undefined && request.tools.length > 0) {
    body.tools = request.tools.map((tool) => ({ type: 'function', function: tool }));
    body.tool_choice = request.toolChoice ?? 'auto';
  }
  if (request.reply !== undefined)
    body.response_format = {
      type: 'json_schema',
      json_schema: { name: request.reply.name, schema: request.reply.schema, strict: true },
    };
  return body;
}

function messageToWire(message: ModelMessage): ChatCompletionMessageParam {
  if (message.role === 'tool')
    return { role: 'tool', tool_call_id: message.callId, content: message.content };
  if (message.role !== 'assistant') return { role: message.role, content: message.content };
  if (message.toolCalls === undefined || message.toolCalls.length === 0)
    return { role: 'assistant', content: message.content };
  return {
    role: 'assistant',
    // An empty text next to tool calls is refused by some servers; null is what OpenAI sends.
    content: message.content === '' ? null : message.content,
    tool_calls: message.toolCalls.map((call) => ({
      id: call.id,
      type: 'function',
      function: { name: call.tool, arguments: call.arguments },
    })),
  };
}
