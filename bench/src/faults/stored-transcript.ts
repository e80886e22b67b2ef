/** What MESSAGES holds of a conversation, read over the bus. */
import {
  type AssistantMessage,
  foldTranscript,
  STREAMS,
  SUBJECTS,
  type TranscriptMessage,
  TranscriptRecord,
} from '@natter/proto';
import type { Bus } from '@natter/runtime';
import { type End, keyOf } from './wires/fault-wire.ts';

/** Records of one conversation; a load that makes more needs more conversations. */
const MAX_RECORDS = 20_000;

export interface StoredTranscript {
  /** What people said, in order. */
  said: { key: string; run: string; text: string; sub: string }[];
  /** How answers ended, in order. */
  answers: { run: string; text: string; status: End }[];
  /** Records of the end of each run. */
  ends: Map<string, number>;
  /** Ids of files that were shared. */
  files: string[];
}

export async function readStored(bus: Bus, conversation: string): Promise<StoredTranscript> {
  const filter = SUBJECTS.conversationMessages(conversation);
  const stored = await bus.stored.from(STREAMS.messages, filter, 1, MAX_RECORDS);
  const records = stored.map(({ seq, data }) => ({
    seq,
    record: TranscriptRecord.parse(JSON.parse(Buffer.from(data).toString())),
  }));
  const ends = new Map<string, number>();
  for (const { record } of records)
    if ('role' in record) ends.set(record.run, (ends.get(record.run) ?? 0) + 1);
  const messages = foldTranscript(records);
  return {
    said: messages.flatMap((message) => (message.role === 'user' ? [saidOf(message)] : [])),
    answers: records.flatMap(({ record }) => ('role' in record ? [answerOf(record)] : [])),
    ends,
    files: records.flatMap(({ record }) => {
      return 'type' in record && record.type === 'file.shared' ? [record.file] : [];
    }),
  };
}

function saidOf({ sub, id, run, text }: TranscriptMessage) {
  return { key: keyOf(sub, id), run, text, sub };
}

function answerOf({ run, text, status }: AssistantMessage) {
  return { run, text, status };
}
