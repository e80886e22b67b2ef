/** The shipper as a destination of pino. */
import { LOG_LEVELS } from '@natter/proto';
import type { DestinationStream } from 'pino';
import type { LogShipper } from './log-shipper.ts';

/** pino tells a destination with this mark the level of each line, as a number: 10, 20 … 60. */
const WANTS_LEVEL = Symbol.for('pino.metadata');

export function shipperStream(shipper: LogShipper): DestinationStream {
  return {
    [WANTS_LEVEL]: true,
    lastLevel: 30,
    write(line: string) {
      shipper.take(line, LOG_LEVELS[Math.floor(this.lastLevel / 10) - 1] ?? 'info');
    },
  } as DestinationStream & { lastLevel: number };
}
