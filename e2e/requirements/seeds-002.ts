/** What seeds/002 demands: session-v1. */
import { type Aside, type Requirements, rowOf } from './requirement.ts';

const row = rowOf('002');

export const SEEDS_002: Requirements = {
  'session/endpoint': row('/ws/{session_id} is a WebSocket endpoint that accepts.', 7, 18),
  'session/content': row("A message is a JSON object; its content is the person's text.", 22, 24),
  'session/message-by-message': row('Message after message on one connection, each is answered.', 20, 28),
  'session/disconnect': row('A disconnect cleans up, and the session can be opened again.', 30, 33),
  'session/connections': row('A session is reached by its id from its connection to its disconnect.', 48, 64),
  'session/handler': row('The connection has an agent with the catalogue and the session.', 66, 79),
  'session/empty-ignored': row('Empty or missing content is ignored.', 81, 82),
  'session/echo-first': row('The text comes back as a user frame before anything else.', 84, 88),
  'session/partials': row(
    'agent_partial frames carry all of the answer so far; at least one comes.',
    90,
    100,
  ),
  'session/final': row('One agent frame with the whole answer ends the turn.', 102, 107),
  'session/agent-error': row('A failed answer is one error frame: `Agent error: …`.', 109, 113),
  'session/disconnect-mid-answer': row('A disconnect in mid-answer ends nothing else.', 115, 116),
  'session/app': row('The endpoint is part of the one application.', 119, 132),
  'session/frame-in': row('The frame of the client has content and no more.', 136, 142),
  'session/frame-user': row('The echo has type user and the same content.', 146, 152),
  'session/frame-agent-partial': row('A partial has type agent_partial and content.', 154, 160),
  'session/frame-agent': row('The final frame has type agent and content.', 162, 168),
  'session/list-tables': row(
    'The list of tables names fact_bs_purchase_order (FACT) and dimv_bs_supplier.',
    162,
    168,
  ),
  'session/frame-tool': row('A tool frame has tool_name, and JSON in a string as its content.', 170, 177),
  'session/frame-error': row('An error frame has type error and a text.', 179, 185),
  'session/hook': row('The React hook works as it is.', 189, 208),
  'session/hook-connected': row('The hook shows whether it is connected.', 210, 211),
  'session/hook-partial': row('The hook has one partial at a time, replaced by the next.', 213, 227),
  'session/hook-final': row('The hook replaces the partial by what comes after it.', 228, 235),
  'session/hook-unmount': row('The hook closes when it is unmounted or its session changes.', 237, 238),
  'session/hook-send': row('The hook sends when the socket is open.', 240, 248),
  'session/component': row('The React component works as it is.', 250, 287),
  'session/ping': row('A ping frame comes every 30 s.', 291, 304),
  'session/reconnect': row(
    'The reconnecting client works as it is, over a restart of the gateway.',
    306,
    332,
  ),
  'session/test-connection': row("The seed's unit test passes: connect, Hello, echo.", 336, 355),
  'session/test-agent-response': row(
    "The seed's integration test passes: echo and agent frame within 10 s.",
    357,
    382,
  ),
  'session/invalid-session': row('An invalid session is closed with 4001 `Invalid session`.', 386, 399),
  'session/bad-json': row(
    'What is no JSON gets an error frame `Invalid JSON format`, and the socket stays.',
    401,
    410,
  ),
  'session/internal-error': row('An internal error closes with 1011; its reason has no internals.', 412, 416),
  'session/client-error': row('A connection that fails reaches the onerror of the page.', 420, 424),
  'session/client-close': row('The page sees 4001 as such, and any other unclean end as lost.', 426, 433),
  'session/origin': row('A foreign Origin is closed with 4003 `Origin not allowed`.', 437, 448),
  'session/origin-allowed': row('Allowed origins are configured, and get in.', 444, 452),
  'session/rate': row('20 messages of a session in 60 s; one more is refused.', 454, 475),
  'session/rate-window': row('The window slides: what is older than 60 s does not count.', 465, 468),
};

export const ASIDE_002: readonly Aside[] = [
  [3, 3, 'what the document is'],
  [37, 47, "imports of the example's own files"],
  [479, 481, 'links to other documents'],
];
