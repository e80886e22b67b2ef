/** Hears in the log of a conversation that the run under way shall stop. */
import { LogEntry, STREAMS, SUBJECTS, type Turn } from '@natter/proto';
import type { Bus, Logger } from '@natter/runtime';
import { storedJson } from '../stored-json.ts';

/** Why a run was aborted: somebody who may asked for it. */
export class RunCancelled extends Error {
  readonly code = 'RUN_CANCELLED';
  readonly by: string;
  constructor(by: string) {
    super('the run was cancelled');
    this.name = 'RunCancelled';
    this.by = by;
  }
}

export interface CancelWatch {
  /** Aborted with RunCancelled as its reason. */
  readonly signal: AbortSignal;
  close(): void;
}

/** One run under way. */
interface Watched {
  turn: Turn;
  /** From when on the log is read, by the broker's clock. */
  sinceMs: number;
  abort: AbortController;
}

/** Entries of one read of the log. */
const PAGE = 1_000;
/** Reads of a log that grows while it is read; what is said after the first one is heard. */
const MAX_PAGES = 20;
/** In a cluster the leaders of two streams have clocks of their own. */
const CLOCK_SKEW_MS = 60_000;

export class Cancellations {
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #watched = new Set<Watched>();

  constructor(bus: Bus, log: Logger) {
    this.#bus = bus;
    this.#log = log;
    // What was said while there was no connection did not arrive.
    bus.onReconnect(async () => {
      await Promise.all([...this.#watched].map((watched) => this.#readAgain(watched)));
    });
  }

  /**
   * Watches a run; resolves once it is known whether it shall stop already.
   *
   * `storedAtMs`: when its turn was stored; nobody can cancel what was not asked yet. Throws
   * BusError when the log can't be read.
   */
  async watch(turn: Turn, storedAtMs: number): Promise<CancelWatch> {
    const abort = new AbortController();
    const watched = { turn, sinceMs: Math.max(0, storedAtMs - CLOCK_SKEW_MS), abort };
    // Before the log is read: what comes after the read is heard.
    const subscription = this.#bus.subscribe(SUBJECTS.logOut(turn.conversation), ({ data }) =>
      take(watched, data),
    );
    this.#watched.add(watched);
    const close = () => {
      this.#watched.delete(watched);
      subscription.close();
    };
    try {
      await this.#read(watched);
    } catch (error) {
      close();
      throw error;
    }
    return { signal: abort.signal, close };
  }

  async #readAgain(watched: Watched): Promise<void> {
    try {
      await this.#read(watched);
    } catch (err) {
      // Reads go on trying for 10 s: the connection is gone again, and its return reads again.
      this.#log.warn({ err, run: watched.turn.run }, 'the log of a conversation could not be read');
    }
  }

  async #read(watched: Watched): Promise<void> {
    const { stored } = this.#bus;
    const subject = SUBJECTS.conversationLog(watched.turn.conversation);
    let page = await stored.since(STREAMS.messages, subject, watched.sinceMs, PAGE);
    for (let pages = 1; ; pages += 1) {
      for (const { data } of page) take(watched, data);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE || pages === MAX_PAGES) return;
      page = await stored.from(STREAMS.messages, subject, last.seq + 1, PAGE);
    }
  }
}

/** The first request counts; entries of other kinds, runs and versions are passed over. */
function take({ turn, abort }: Watched, data: Uint8Array): void {
  const entry = LogEntry.safeParse(storedJson(data));
  if (!entry.success || entry.data.type !== 'run.cancel_requested' || entry.data.run !== turn.run) return;
  abort.abort(new RunCancelled(entry.data.by));
}
