/** Checks that tool results answer the calls before them, as OpenAI does. */
import type { Message } from './chat-request.ts';

/** What is wrong with the order of the messages, or null. */
export function findToolOrderProblem(messages: Message[]): string | null {
  let open = new Set<string>();
  for (const message of messages) {
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id))
        return "Messages with role 'tool' must answer a tool call of the assistant message before them.";
      continue;
    }
    if (open.size > 0)
      return "An assistant message with 'tool_calls' must be followed by tool messages for each 'tool_call_id'.";
    if (message.role === 'assistant') open = new Set(message.tool_calls?.map((call) => call.id));
  }
  return open.size > 0 ? "The last 'tool_calls' have no tool messages." : null;
}
