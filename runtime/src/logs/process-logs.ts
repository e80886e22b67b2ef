/** The log lines of this process: its logger, its shipper, and `broadcastLog`. */
import { LOG_LEVELS, type LogLevel } from '@natter/proto';
import type { DestinationStream } from 'pino';
import type { Bus } from '../bus/bus.ts';
import { createLogger, type Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { type LogMetrics, registerLogMetrics } from './log-metrics.ts';
import { LogShipper } from './log-shipper.ts';
import { shipperStream } from './shipper-stream.ts';

export interface ProcessLogOptions {
  service: string;
  /** Least severe level on standard output. */
  level: string;
  /** Least severe level that goes to the bus; `silent`: nothing. */
  shippedLevel: LogLevel | 'silent';
  /** Default: standard output. */
  destination?: DestinationStream;
  /** In each line, besides service and pid. */
  fields?: Record<string, number>;
}

/** How long the end of a service may wait until its last lines are stored. */
const FLUSH_MS = 1_000;

export class ProcessLogs {
  readonly log: Logger;
  readonly #shipper: LogShipper | null = null;
  /** Ships what is below the shipped level. */
  readonly #shipped: Logger | null = null;
  readonly #shippedLevel: LogLevel | 'silent';
  #dropped = 0;
  #metrics: LogMetrics | null = null;

  constructor({ service, level, shippedLevel, destination, fields }: ProcessLogOptions) {
    this.#shippedLevel = shippedLevel;
    if (shippedLevel === 'silent') {
      this.log = createLogger(service, level, destination, undefined, fields);
      return;
    }
    this.#shipper = new LogShipper(service, (lines) => this.#count(lines));
    const stream = shipperStream(this.#shipper);
    this.log = createLogger(service, level, destination, { level: shippedLevel, stream }, fields);
    this.#shipped = createLogger(service, 'trace', stream, undefined, fields);
  }

  /** From now on lines go to the bus, those before first; its close waits for the last ones. */
  attach(bus: Bus, metrics: Metrics): void {
    this.#metrics = registerLogMetrics(metrics);
    this.#metrics.dropped(this.#dropped);
    const shipper = this.#shipper;
    if (shipper === null) return;
    shipper.attach(bus);
    bus.beforeClose(() => shipper.close(FLUSH_MS));
  }

  /** A line for whoever watches: shipped whatever the level, unless nothing is shipped. */
  broadcast(message: string, level: LogLevel, category: string): void {
    this.log[level]({ category }, message);
    if (this.#shippedLevel === 'silent') return;
    const isShipped = LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.#shippedLevel);
    if (!isShipped) this.#shipped?.[level]({ category }, message);
  }

  #count(lines: number): void {
    this.#dropped += lines;
    this.#metrics?.dropped(lines);
  }
}
