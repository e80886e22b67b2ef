/** The readers of logs over HTTP on this gateway. */
import type { BodyWriter } from '../../rest/route.ts';
import { LogEventStream, type LogEventStreamDeps } from './log-event-stream.ts';
import type { Admitted, LogVisits } from './log-visits.ts';
import type { LogOpening } from './log-wire.ts';

export interface LogStreamsDeps extends Omit<LogEventStreamDeps, 'gone'> {
  visits: Pick<LogVisits, 'begin'>;
}

export class LogStreams {
  readonly #deps: LogStreamsDeps;
  readonly #streams = new Set<LogEventStream>();

  constructor(deps: LogStreamsDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#streams.size;
  }

  begin(writer: BodyWriter, admitted: Admitted, opening: LogOpening): void {
    const gone = (stream: LogEventStream) => this.#streams.delete(stream);
    const stream = new LogEventStream({ ...this.#deps, gone }, writer, opening);
    this.#streams.add(stream);
    stream.begin(this.#deps.visits, admitted, opening);
  }

  /** Heartbeats and deadlines; call it every second. */
  tick(nowMs: number): void {
    for (const stream of this.#streams) stream.tick(nowMs);
  }
}
