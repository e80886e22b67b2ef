/**
 * Transcripts: what MESSAGES keeps.
 *
 * The log of a conversation (`SUBJECTS.conversationLog`) holds what people said and changed, one
 * entry after the other; how each run ended is a message of its own, written once.
 */
import { z } from 'zod';
import { RUN_ERRORS } from './errors.ts';
import { LIMITS } from './limits.ts';
import { AnswerMetadata, type RunEnd } from './run-events.ts';
import { RunId } from './turn.ts';
import { FileShared } from './uploads.ts';

const Sub = z.string().min(1).max(LIMITS.idBytes);
const Time = z.number().int().nonnegative();

/** A person said something; `run` is the bus-wide id of the message, and of its answer if it has one. */
export const MessagePosted = z.object({
  type: z.literal('message.posted'),
  run: RunId,
  /** The client's id of the message; unique only with `sub`. */
  id: Sub,
  sub: Sub,
  name: z.string().max(256).nullable(),
  text: z.string().max(LIMITS.messageChars),
  /** Whether the AI answers it. */
  asks: z.boolean(),
  at: Time,
});
export type MessagePosted = z.infer<typeof MessagePosted>;

/** Whoever appends one has checked that `by` wrote the message, or moderates the room. */
export const MessageEdited = z.object({
  type: z.literal('message.edited'),
  run: RunId,
  text: z.string().min(1).max(LIMITS.messageChars),
  by: Sub,
  at: Time,
});

export const MessageDeleted = z.object({ type: z.literal('message.deleted'), run: RunId, by: Sub, at: Time });

export const MessageRead = z.object({
  type: z.literal('message.read'),
  run: RunId,
  /** The client's id of the message that was read, and who wrote it. */
  id: Sub,
  sub: Sub,
  by: Sub,
  name: z.string().max(256).nullable(),
  at: Time,
});

/** The run shall stop; the agent at work on it, or the next one, ends it as cancelled. */
export const CancelRequested = z.object({
  type: z.literal('run.cancel_requested'),
  run: RunId,
  by: Sub,
  at: Time,
});

export const LogEntry = z.discriminatedUnion('type', [
  FileShared,
  MessagePosted,
  MessageEdited,
  MessageDeleted,
  MessageRead,
  CancelRequested,
]);
export type LogEntry = z.infer<typeof LogEntry>;

const Asked = z.object({ id: Sub, sub: Sub, name: z.string().max(256).nullable(), at: Time });

const end = {
  role: z.literal('assistant'),
  run: RunId,
  at: Time,
  /** Whose question it answers. */ asked: Asked.optional(),
};

/**
 * How a run ended. Written once per run, before its last event is published: whoever finds it
 * knows that the run is over and how, whatever became of the event.
 */
export const AssistantMessage = z.discriminatedUnion('status', [
  z.object({ ...end, status: z.literal('completed'), text: z.string(), metadata: AnswerMetadata }),
  z.object({
    ...end,
    status: z.literal('failed'),
    /** What had been published before it failed. */
    text: z.string(),
    code: z.enum(RUN_ERRORS),
    correlationId: z.string().max(64),
  }),
  z.object({
    ...end,
    status: z.literal('cancelled'),
    /** What had been published before it was stopped. */
    text: z.string(),
    by: Sub,
  }),
]);
export type AssistantMessage = z.infer<typeof AssistantMessage>;

/** A message under `SUBJECTS.conversationMessages`. */
export const TranscriptRecord = z.union([LogEntry, AssistantMessage]);
export type TranscriptRecord = z.infer<typeof TranscriptRecord>;

/** One message as a reader sees it now: edits applied, text gone where it was deleted. */
export interface TranscriptMessage {
  /** Sequence in MESSAGES: the order of the transcript. */
  seq: number;
  role: 'user' | 'assistant';
  run: string;
  /** The client's id of the question or message. */
  id: string;
  /** Who said it; of an answer, who asked. */
  sub: string;
  name: string | null;
  text: string;
  at: number;
  /** Of a person's message. */
  asks?: boolean;
  editedAt?: number;
  deletedAt?: number;
  /** Of an answer. */
  end?: RunEnd;
}

/**
 * The transcript that records add up to, in their order; each has its sequence in MESSAGES.
 *
 * Files are no messages: they are listed by themselves.
 *
 * A message posted twice counts once. An edit or deletion of a message that is not among the
 * records has no effect; an answer whose question is not is left in, asked by an empty `sub`.
 */
export function foldTranscript(
  records: Iterable<{ seq: number; record: TranscriptRecord }>,
): TranscriptMessage[] {
  const messages: TranscriptMessage[] = [];
  const posted = new Map<string, TranscriptMessage>();
  for (const { seq, record } of records) {
    if ('role' in record) {
      const asked = posted.get(record.run);
      const { run, text, at } = record;
      const { id = '', sub = '', name = null } = asked ?? record.asked ?? {};
      messages.push({ seq, role: 'assistant', run, id, sub, name, text, at, end: runEndOf(record) });
    } else if (record.type === 'message.posted') {
      if (posted.has(record.run)) continue;
      const { run, id, sub, name, text, asks, at } = record;
      const message: TranscriptMessage = { seq, role: 'user', run, id, sub, name, text, asks, at };
      posted.set(run, message);
      messages.push(message);
    } else if (record.type !== 'file.shared') {
      change(posted.get(record.run), record);
    }
  }
  return messages;
}

function change(message: TranscriptMessage | undefined, entry: LogEntry): void {
  if (message === undefined || message.deletedAt !== undefined) return;
  if (entry.type === 'message.edited') {
    message.text = entry.text;
    message.editedAt = entry.at;
  } else if (entry.type === 'message.deleted') {
    message.text = '';
    message.deletedAt = entry.at;
  }
}

/** The event that ends a run, from the record of how it ended. */
export function runEndOf(message: AssistantMessage): RunEnd {
  if (message.status === 'completed') {
    return { type: 'run.completed', text: message.text, metadata: message.metadata };
  }
  if (message.status === 'cancelled') return { type: 'run.cancelled', text: message.text, by: message.by };
  return { type: 'run.failed', code: message.code, correlationId: message.correlationId };
}
