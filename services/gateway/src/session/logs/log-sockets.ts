/** The sockets of logs on this gateway: counted, and closed together by an admin. */
import type { LogSession } from './log-session.ts';

export class LogSockets {
  readonly #sessions = new Set<LogSession>();

  /** Those that read. */
  get size(): number {
    return this.#sessions.size;
  }

  add(session: LogSession): void {
    this.#sessions.add(session);
  }

  delete(session: LogSession): void {
    this.#sessions.delete(session);
  }

  /** Returns how many there were. */
  disconnectAll(): number {
    const sessions = [...this.#sessions];
    for (const session of sessions) session.close('disconnected');
    return sessions.length;
  }
}
