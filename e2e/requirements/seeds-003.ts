/** What seeds/003 demands: logs-v1. */
import { type Aside, type Requirements, rowOf } from './requirement.ts';

const row = rowOf('003');

export const SEEDS_003: Requirements = {
  'logs/many-clients': row('A line reaches every client that is connected, each once.', 10),
  'logs/persistent': row('A connection stays open and gets line after line as they come.', 11),
  'logs/over-http': row('Lines can be streamed over plain HTTP.', 12),
  'logs/websocket': row('/ws/logs is a WebSocket that gets lines in real time.', 18, 22),
  'logs/handshake': row(
    'The handshake of the example, with a bearer key in its header, is accepted.',
    24,
    31,
  ),
  'logs/connected': row('A good key opens the connection, and nothing but lines comes over it.', 33),
  'logs/live': row('What a service logs reaches a client that is connected.', 34),
  'logs/frame': row('A frame is a JSON object with the one field log, a text.', 36, 42),
  'logs/key': row('A connection is authenticated by its API key.', 44, 46),
  'logs/refused': row('A bad key gets an error message, and the connection is closed at once.', 47),
  'logs/simultaneous': row('Several clients with keys of their own are connected at a time.', 48),
  'logs/broadcast': row('A line that is broadcast reaches every connected client.', 54, 56),
  'logs/broadcast-example': row('The text of the example call arrives as it is.', 58, 62),
  'logs/broadcast-internal': row('Services of ours broadcast without a key, by a function.', 64, 66),
  'logs/broadcast-kinds': row('A broadcast line has the level and category that it is given.', 67),
  'logs/sse-alternative': row('GET /api/get-logs-stream has the same lines as /ws/logs.', 73, 75),
  'logs/sse-get': row('One GET request, with a key, opens the stream.', 77, 79),
  'logs/sse-live': row('The answer is a server-sent event stream that goes on in real time.', 80),
  'logs/sse-format': row('Status 200, text/event-stream, and each event as in the example.', 82, 91),
  'logs/sse-over-http': row('A line is sent when it comes, not when the response ends.', 93, 95),
  'logs/sse-reconnect': row('A client that lost the connection reconnects by itself, and goes on.', 96),
  'logs/sse-plain-client': row('A client that knows nothing of WebSockets or of us reads the stream.', 97),
  'logs/missing-key': row('A connection without a key gets no line.', 105),
  'logs/closed-at-once': row('A missing key closes the connection at once.', 106),
  'logs/active': row('A connection counts as active while it is open.', 110),
  'logs/all-gateways': row('A line reaches the clients of every gateway.', 111),
  'logs/disconnected': row('A client that has gone counts no more, and frees what it had.', 115),
  'logs/authorised': row('Nobody reads a line whose key has no scope for it.', 121),
  'logs/rate-limited': row('Who sends too many frames or lines is refused.', 122),
  'logs/errors': row('A bad frame is an error frame and no more; an end has a close code.', 123),
  'logs/filter-category': row('A client may subscribe to one category, and gets no other.', 131, 133),
  'logs/acknowledgement': row('A client may acknowledge what it has received.', 134),
  'logs/reconnect': row('A client that lost the network goes on where it was.', 135),
};

export const ASIDE_003: readonly Aside[] = [
  [5, 5, 'a summary'],
  [9, 9, 'said again in line 46'],
  [129, 129, 'a summary'],
];
