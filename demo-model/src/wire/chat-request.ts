/** The request of `POST /v1/chat/completions`, as far as this model reads it. */
import { z } from 'zod';
import { ApiError } from '../http/api-error.ts';
import { describeIssue } from '../http/describe-issue.ts';
import { findToolOrderProblem } from './tool-order.ts';

const text = z.union([
  z.string(),
  z
    .array(z.object({ type: z.literal('text', 'the demo model reads text only'), text: z.string() }))
    .max(1_000)
    .transform((parts) => parts.map((part) => part.text).join('')),
]);

const toolName = z.string().regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -');

const toolCall = z.object({
  id: z.string().min(1).max(200),
  type: z.literal('function'),
  function: z.object({ name: toolName, arguments: z.string() }),
});

const messageSchema = z.discriminatedUnion('role', [
  z.object({ role: z.literal('system'), content: text }),
  z.object({ role: z.literal('developer'), content: text }),
  z.object({ role: z.literal('user'), content: text }),
  z.object({
    role: z.literal('assistant'),
    content: text.nullish().transform((content) => content ?? ''),
    tool_calls: z.array(toolCall).min(1).max(128).optional(),
  }),
  z.object({ role: z.literal('tool'), content: text, tool_call_id: z.string().min(1).max(200) }),
]);
export type Message = z.infer<typeof messageSchema>;

const toolSchema = z.object({
  type: z.literal('function'),
  function: z.object({
    name: toolName,
    description: z.string().max(10_000).default(''),
    parameters: z.record(z.string(), z.unknown()).default({}),
  }),
});
export type Tool = z.infer<typeof toolSchema>['function'];

const responseFormatSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({
    type: z.literal('json_schema'),
    json_schema: z.object({
      name: z.string().regex(/^[\w-]{1,64}$/),
      schema: z.object({
        properties: z.record(
          z.string(),
          z.object({ type: z.string(), enum: z.array(z.string().max(200)).max(500).optional() }),
        ),
      }),
    }),
  }),
]);
export type ResponseFormat = z.infer<typeof responseFormatSchema>;

const maxTokens = z.int().min(1).nullish();

const chatRequestSchema = z.object({
  model: z.string().min(1).max(200),
  messages: z.array(messageSchema).min(1).max(2_000),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
  max_tokens: maxTokens,
  max_completion_tokens: maxTokens,
  n: z.literal(1, 'the demo model makes one choice').nullish(),
  tools: z.array(toolSchema).max(128).nullish(),
  tool_choice: z
    .union([
      z.enum(['none', 'auto', 'required']),
      z.object({ type: z.literal('function'), function: z.object({ name: toolName }) }),
    ])
    .nullish(),
  response_format: responseFormatSchema.nullish(),
});
export type ChatRequest = z.infer<typeof chatRequestSchema>;

/** Throws ApiError 400 that names the field. Unknown fields are ignored. */
export function decodeChatRequest(body: unknown): ChatRequest {
  const result = chatRequestSchema.safeParse(body);
  if (!result.success) {
    const { message, param } = describeIssue(result.error);
    throw new ApiError({ status: 400, code: 'invalid_value', message, param });
  }
  const problem = findToolOrderProblem(result.data.messages);
  if (problem !== null)
    throw new ApiError({ status: 400, code: 'invalid_value', message: problem, param: 'messages' });
  return result.data;
}
