/** GET /api/get-logs-stream: lines as server-sent events. Source: seeds/003, Stream Logs via HTTP. */
import type { LogStreams } from '../session/logs/log-streams.ts';
import type { LogVisits } from '../session/logs/log-visits.ts';
import type { LogWire } from '../session/logs/log-wire.ts';
import { type CrossOriginRule, crossOrigin } from './cross-origin.ts';
import { errorReply, type Route } from './route.ts';

export interface LogStreamRouteDeps {
  visits: Pick<LogVisits, 'admit' | 'hasRoom'>;
  streams: Pick<LogStreams, 'begin'>;
  wire: Pick<LogWire, 'open'>;
  /** Pages of these may read it, as they may over a WebSocket. */
  origins: CrossOriginRule['origins'];
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // nginx would hold lines back until its buffer is full.
  'x-accel-buffering': 'no',
};

const CORS = { headers: ['Authorization', 'Last-Event-ID'], exposed: [] };

export function logStreamRoutes({ visits, streams, wire, origins }: LogStreamRouteDeps): Route[] {
  const route: Route = {
    method: 'GET',
    path: '/api/get-logs-stream',
    maxBodyBytes: 0,
    headers: ['last-event-id'],
    handle: async (request) => {
      const opening = wire.open(request);
      const admission = await visits.admit(opening);
      if (!admission.ok) {
        const { code, detail } = admission;
        return errorReply(code, detail === undefined ? {} : { fields: { detail } });
      }
      const { admitted } = admission;
      if (!visits.hasRoom(admitted, opening)) return errorReply('TOO_MANY_CONNECTIONS');
      return {
        status: 200,
        headers: HEADERS,
        length: null,
        stream: (writer) => streams.begin(writer, admitted, opening),
      };
    },
  };
  return crossOrigin({ ...CORS, origins }, [route]);
}
