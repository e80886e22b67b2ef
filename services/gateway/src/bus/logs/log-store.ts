/**
 * Reads LOGS: all lines of a filter between two sequences, or the last ones.
 *
 * A filter by level is several subjects, and the broker reads one filter at a time: what it finds is
 * merged here, by sequence.
 */
import { STREAMS } from '@natter/proto';
import type { Bus, Stored, StreamState } from '@natter/runtime';
import { Gate } from '../gate.ts';

/** Lines of one read. They may have 64 KiB each, and five filters are read at once. */
const PAGE = 256;
/** Reads at once, whoever asks: what they hold is 16 MiB each at the worst. */
const READS_AT_ONCE = 8;

/** A look back begins with as many sequences as this; so few are read in full at any rate. */
const WINDOW = 1_024;
/** Windows grow by this while they hold too little, and shrink by it where lines are dense. */
const GROWTH = 4;
/** Lines of one window, above which it shrinks: four times the longest tail. */
const WINDOW_LINES = 4_000;
/** Lines and reads of one look back; at either it ends with what it has. */
const TAIL_LINES = 20_000;
const TAIL_READS = 200;

export type LogBus = Pick<Bus, 'streamState' | 'streamCreated' | 'stored'>;

export class LogStore {
  readonly #bus: LogBus;
  readonly #gate = new Gate(READS_AT_ONCE);
  #asking: Promise<StreamState> | null = null;
  #life: Promise<string> | null = null;

  constructor(bus: LogBus) {
    this.#bus = bus;
  }

  /** What LOGS holds at the moment of asking; throws BusError while the broker is away for long. */
  state(): Promise<StreamState> {
    return this.#bus.streamState(STREAMS.logs);
  }

  /** As `state`, or as it was a moment before; many who ask at once cost one request. */
  recentState(): Promise<StreamState> {
    this.#asking ??= this.state().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  /** Another text for each time LOGS is made anew; remembered until `reconnected`. */
  life(): Promise<string> {
    if (this.#life === null) {
      const asked = this.#bus.streamCreated(STREAMS.logs);
      this.#life = asked;
      asked.catch(() => {
        if (this.#life === asked) this.#life = null;
      });
    }
    return this.#life;
  }

  /** The broker may have forgotten LOGS meanwhile. */
  reconnected(): void {
    this.#life = null;
  }

  /**
   * Lines behind `after` up to `through`, oldest first, in pages that are never empty.
   *
   * All there are, if `through` was the last sequence before the first page was asked for.
   */
  async *pages(filters: readonly string[], after: number, through: number): AsyncGenerator<Stored[]> {
    const sources = filters.map((filter) => ({ filter, next: after + 1, found: [] as Stored[] }));
    while (true) {
      const empty = sources.filter(({ found, next }) => found.length === 0 && next <= through);
      await Promise.all(
        empty.map(async (source) => {
          const page = await this.#read(source.filter, source.next);
          source.next = page.length < PAGE ? through + 1 : (page.at(-1)?.seq ?? through) + 1;
          source.found = page.filter(({ seq }) => seq <= through);
        }),
      );
      const page = merged(sources, through);
      if (page.length > 0) yield page;
      else if (sources.every(({ next }) => next > through)) return;
    }
  }

  /**
   * The last `count` lines up to `through`, oldest first.
   *
   * Looks back in growing windows, 20,000 lines and 200 reads in all: of a filter that is very
   * uneven it may find fewer, but none between those it returns is missing.
   */
  async tail(filters: readonly string[], count: number, state: StreamState): Promise<Stored[]> {
    let found: Stored[] = [];
    const budget = { lines: TAIL_LINES, reads: TAIL_READS };
    let width = WINDOW;
    for (let end = state.lastSeq; found.length < count && end >= state.firstSeq; ) {
      const begin = Math.max(state.firstSeq, end - width + 1);
      const window = await this.#window(filters, begin, end, budget);
      if (budget.lines <= 0 || budget.reads <= 0) break;
      if (window === null) {
        width = Math.max(WINDOW, Math.floor(width / GROWTH));
        continue;
      }
      found = [...window, ...found];
      end = begin - 1;
      width *= GROWTH;
    }
    return found.slice(Math.max(0, found.length - count));
  }

  /** All lines of a window, or null: they are too many, or the budget is used up. */
  async #window(
    filters: readonly string[],
    begin: number,
    end: number,
    budget: { lines: number; reads: number },
  ): Promise<Stored[] | null> {
    const found: Stored[] = [];
    for (const filter of filters) {
      for (let next = begin; next <= end; ) {
        const page = await this.#read(filter, next);
        found.push(...page.filter(({ seq }) => seq <= end));
        budget.lines -= page.length;
        budget.reads -= 1;
        const isWhole = end - begin < WINDOW;
        if (budget.lines <= 0 || budget.reads <= 0 || (found.length > WINDOW_LINES && !isWhole)) return null;
        if (page.length < PAGE) break;
        next = (page.at(-1)?.seq ?? end) + 1;
      }
    }
    return found.sort((one, other) => one.seq - other.seq);
  }

  async #read(filter: string, seq: number): Promise<Stored[]> {
    let page: Stored[] = [];
    await this.#gate.run(async () => {
      page = await this.#bus.stored.from(STREAMS.logs, filter, seq, PAGE);
    });
    return page;
  }
}

/** Takes what is known to be next: nothing behind the end of a source that has more to read. */
function merged(sources: { next: number; found: Stored[] }[], through: number): Stored[] {
  let horizon = through;
  for (const { next, found } of sources)
    if (next <= through) horizon = Math.min(horizon, found.at(-1)?.seq ?? next - 1);
  const page: Stored[] = [];
  for (const source of sources) {
    const later = source.found.findIndex(({ seq }) => seq > horizon);
    const taken = later === -1 ? source.found.length : later;
    for (const stored of source.found.splice(0, taken)) page.push(stored);
  }
  return sources.length === 1 ? page : page.sort((one, other) => one.seq - other.seq);
}
