/** Everything of this gateway that has to do with reading logs, put together. */
import type { Bus, Logger } from '@natter/runtime';
import { LogHub } from '../../bus/logs/log-hub.ts';
import { LogKeys, type LogKeysDeps } from '../../bus/logs/log-keys.ts';
import { LogPositions } from '../../bus/logs/log-positions.ts';
import type { GatewayMetrics } from '../../metrics.ts';
import type { SocketRoute } from '../socket-session.ts';
import type { Topics } from '../topics.ts';
import { logSocketRoute } from './log-socket-route.ts';
import { LogSockets } from './log-sockets.ts';
import { LogStreams } from './log-streams.ts';
import { LogVisits, type LogVisitsDeps } from './log-visits.ts';
import type { LogWire } from './log-wire.ts';

export interface LogReadersDeps {
  bus: Bus;
  auth: LogKeysDeps['auth'];
  topics: Topics;
  wire: LogWire;
  users: LogVisitsDeps['users'];
  metrics: GatewayMetrics;
  log: Logger;
  now: () => number;
  config: {
    softBufferBytes: number;
    hardBufferBytes: number;
    maxLogReaders: number;
    rateLimitRequests: number;
    rateLimitWindowSeconds: number;
  };
}

export interface LogReaders {
  hub: LogHub;
  visits: LogVisits;
  wire: LogWire;
  sockets: LogSockets;
  socketRoute: SocketRoute;
  streams: LogStreams;
  /** Call it every second. */
  tick(nowMs: number): void;
  /** Resolves when what was acknowledged is stored. */
  settled(): Promise<void>;
}

export function logReaders(deps: LogReadersDeps): LogReaders {
  const { bus, auth, topics, wire, users, metrics, log, now, config } = deps;
  const count = {
    sent: (readers: number) => metrics.logDeliveries.inc(readers),
    recovered: () => metrics.logGaps.inc(),
  };
  const hub = new LogHub({ bus, topics, wire, log, now, count, ...config });
  const keys = new LogKeys({ auth, bus, log, now });
  const positions = new LogPositions(bus, log);
  const visits = new LogVisits({ auth, hub, keys, positions, users, log });
  const sockets = new LogSockets();
  const streams = new LogStreams({ visits, wire, now, random: Math.random });
  return {
    hub,
    visits,
    wire,
    sockets,
    socketRoute: logSocketRoute({ visits, sockets, wire, metrics, log, now, ...config }),
    streams,
    tick(nowMs) {
      keys.tick();
      streams.tick(nowMs);
    },
    settled: () => positions.settled(),
  };
}
