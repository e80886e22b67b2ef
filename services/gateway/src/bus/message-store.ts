/** Appends what people say and change to the log of a conversation in MESSAGES. */
import { type LogEntry, SUBJECTS } from '@natter/proto';
import type { Bus } from '@natter/runtime';

export class MessageStore {
  readonly #bus: Pick<Bus, 'append'>;
  readonly #timeoutMs: number;

  constructor(bus: Pick<Bus, 'append'>, timeoutMs: number) {
    this.#bus = bus;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Returns once the broker has the entry on disk; the same one sent twice is kept once.
   *
   * Throws BusError: UNAVAILABLE after the time limit, REFUSED when MESSAGES is full.
   */
  async append(
    conversation: string,
    entry: LogEntry,
    traceparent?: string,
  ): Promise<{ seq: number; duplicate: boolean }> {
    return this.#bus.append(SUBJECTS.conversationLog(conversation), JSON.stringify(entry), {
      id: idOf(entry),
      timeoutMs: this.#timeoutMs,
      ...(traceparent === undefined ? {} : { traceparent }),
    });
  }
}

/** What makes two entries the same; agents name a question in the same way (history/transcripts.ts). */
function idOf(entry: LogEntry): string {
  switch (entry.type) {
    case 'message.posted':
      return `posted-${entry.run}`;
    case 'message.edited':
      return `edited-${entry.run}-${entry.by}-${entry.at}`;
    case 'message.deleted':
      return `deleted-${entry.run}`;
    case 'message.read':
      return `read-${entry.run}-${entry.by}`;
    case 'run.cancel_requested':
      return `cancel-${entry.run}`;
    case 'file.shared':
      return `file-${entry.file}`;
  }
}
