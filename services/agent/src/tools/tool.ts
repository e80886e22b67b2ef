/** A tool that an agent may let the model call. */
import type { Logger } from '@natter/runtime';
import type { z } from 'zod';

export interface ToolContext {
  /** Run in which it is called; makes a repeat after a crash recognisable. */
  run: string;
  /** Whose data it may touch. Never taken from the model's arguments. */
  customerId: string;
  now: Date;
  log: Logger;
}

/** What the model gets back as JSON. A refusal says why, so that the model can tell the person. */
export type ToolResult =
  | ({ ok: true } & Record<string, unknown>)
  | ({ ok: false; reason: string; message: string } & Record<string, unknown>);

/** A result that is no outcome but data: its JSON goes to the model and the wire as it stands. */
export class PlainResult {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

export interface Tool<A> {
  name: string;
  /** For the model: what it does and when to use it. */
  description: string;
  arguments: z.ZodType<A>;
  /** What it throws becomes a result that says the tool is out of order. */
  call(args: A, context: ToolContext): Promise<ToolResult | PlainResult>;
}
