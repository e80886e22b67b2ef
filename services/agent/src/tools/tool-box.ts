/** Every tool there is; agents name those they use. */
import { z } from 'zod';
import type { ModelTool, ToolCall } from '../model/model.ts';
import { PlainResult, type Tool, type ToolContext, type ToolResult } from './tool.ts';

/** Characters of a result; the wire cuts there (proto, ToolCalled). */
export const MAX_RESULT_CHARS = 8_000;

export interface ToolBox {
  readonly names: ReadonlySet<string>;
  /** The tools as the model is told about them; unknown names are left out. */
  declare(names: readonly string[]): ModelTool[];
  /** Runs a call if `allowed` names its tool. Never throws: what went wrong is the result. */
  call(call: ToolCall, allowed: readonly string[], context: ToolContext): Promise<string>;
}

// biome-ignore lint/suspicious/noExplicitAny: a box holds tools of any arguments
type AnyTool = Tool<any>;

export function createToolBox(tools: readonly AnyTool[]): ToolBox {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  const declarations = new Map(tools.map((tool) => [tool.name, declaration(tool)]));
  return {
    names: new Set(byName.keys()),
    declare: (names) => names.flatMap((name) => declarations.get(name) ?? []),
    async call(call, allowed, context) {
      const tool = allowed.includes(call.tool) ? byName.get(call.tool) : undefined;
      const result =
        tool === undefined
          ? refusal('unknown_tool', `There is no tool called ${call.tool}.`)
          : await run(tool, call, context);
      return JSON.stringify(result instanceof PlainResult ? result.value : result).slice(0, MAX_RESULT_CHARS);
    },
  };
}

function declaration(tool: AnyTool): ModelTool {
  const { $schema: _dialect, ...parameters } = z.toJSONSchema(tool.arguments);
  return { name: tool.name, description: tool.description, parameters };
}

async function run(tool: AnyTool, call: ToolCall, context: ToolContext): Promise<ToolResult | PlainResult> {
  const parsed = tool.arguments.safeParse(parseJson(call.arguments));
  if (!parsed.success) {
    const issues = parsed.error.issues.slice(0, 5);
    const problems = issues.map((issue) => `${issue.path.join('.') || 'arguments'}: ${issue.message}`);
    return refusal('bad_arguments', problems.join('; ').slice(0, 1_000));
  }
  try {
    return await tool.call(parsed.data, context);
  } catch (err) {
    context.log.error({ err, tool: tool.name }, 'a tool failed');
    return refusal('out_of_order', 'The tool can not be used at the moment. Nothing is known to be done.');
  }
}

/** A model that has no arguments to give may send nothing at all. */
function parseJson(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(reason: string, message: string): ToolResult {
  return { ok: false, reason, message };
}
