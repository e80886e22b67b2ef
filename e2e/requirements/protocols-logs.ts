/** What PROTOCOLS demands of logs-v1, and of uploads, beyond the seeds. */
import { part, type Requirements } from './requirement.ts';

export const PROTOCOLS_LOGS: Requirements = {
  ...part('logs-v1', {
    'logs/refused-close': 'A bad or missing key: accepted, one error frame, closed with 1008.',
    'logs/sse-refused': 'SSE with a bad or missing key: 401.',
    'logs/line-only': 'Without options a frame is `{"log": "…"}` and has nothing else.',
    'logs/active-route': 'GET /api/get-active-websockets answers active_websockets, a number.',
    'logs/broadcast-route': 'POST /api/broadcast-log?message= answers success, and `Log broadcasted: …`.',
    'logs/disconnect-route': 'POST /api/disconnect-all-websockets closes every log connection.',
    'logs/filter-level': 'Lines can be filtered by level: that one and more severe ones.',
    'logs/filter-service': 'Lines can be filtered by service.',
    'logs/ack-stored': 'An acknowledgement of a client is kept.',
    'logs/resume-websocket': 'A WebSocket client resumes after a lost connection.',
    'logs/resume-sse': 'An SSE client resumes after a lost connection, by Last-Event-ID too.',
  }),
  ...part('rooms-v1', {
    'files/events-documented': 'The file events of this dialect stand in docs/reference.',
  }),
  ...part('Common rules', {
    'files/strange-ids': 'A file_id that is none of ours is an error, and touches no subject.',
    'files/no-internals': 'Refusals of uploads and files have a code and no internals.',
    'files/settings': 'Limits and folders of uploads come from the variables of the seed.',
  }),
};
