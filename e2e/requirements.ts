/**
 * What the stack must do, as data: a statement, where it is demanded, and the tests that show it.
 *
 * A test cites a requirement by its id at the beginning of its name: `[chat-v1/auth-query] …`.
 * `test/requirements.test.ts` fails when a requirement is cited by no test, or a test cites none
 * that is listed here.
 */

/** `seed`: first and last line in fixtures/seeds-001/document.md. */
export type Source =
  | { seed: readonly [number, number] }
  | { issue: 2; bullet: string }
  | { protocols: string };

export interface Requirement {
  statement: string;
  source: Source;
}

const seed = (first: number, last: number): Source => ({ seed: [first, last] });
const issue = (bullet: string): Source => ({ issue: 2, bullet });
const protocols = (part: string): Source => ({ protocols: part });

const CLIENTS = issue('The JavaScript class and the Python script of seeds/001 work unchanged');
const BAD_INPUT = issue('Bad input');
const MODEL = issue('The model server down, slow, cut off mid-stream, answering 429/500');
const CRASH = issue('Two gateways and two agents on one broker');
const ONCE = issue('The same message sent twice with one id gives one run');
const LOAD = issue('1,000 sockets at once');
const GATEWAY = issue('Parts, 3. gateway');
const RUNTIME = issue('Parts, 2. runtime');
const AGENT = issue('Parts, 5. agent');
const MODELS = issue('Parts, 6. models');
const COMMON = protocols('Common rules');
const README = issue("A second `docs` reader's test");

export const REQUIREMENTS = {
  'broker/container': {
    statement:
      'A broker that somebody else runs (NATS_URL) serves, stalls and dies without losing a question.',
    source: issue('Commands, NATS_URL'),
  },
  'seed/js-client': {
    statement: 'The JavaScript client of the seed works as it is.',
    source: seed(154, 270),
  },
  'seed/js-query-token': { statement: 'Its class signs in by a token in the query.', source: seed(31, 33) },
  'seed/js-refused': { statement: 'It is told of a token that is not accepted.', source: seed(88, 94) },
  'seed/several-questions': { statement: 'Several questions in one connection.', source: seed(362, 369) },
  'seed/python-client': {
    statement: 'The Python client of the seed works as it is.',
    source: seed(276, 334),
  },
  'seed/python-refused': { statement: 'It ends when its token is not accepted.', source: seed(296, 298) },

  'chat-v1/auth-query': { statement: 'A token in the query signs in.', source: seed(30, 33) },
  'chat-v1/auth-frame': {
    statement: 'So does one in an auth frame, with or without Bearer.',
    source: seed(35, 45),
  },
  'chat-v1/auth-success': { statement: "auth_success carries the user's claims.", source: seed(75, 86) },
  'chat-v1/first-message-at-once': {
    statement: 'With a good query token the first message may be sent at once.',
    source: protocols('chat-v1'),
  },
  'chat-v1/progress-order': { statement: 'Four steps, in order, with their texts.', source: seed(96, 109) },
  'chat-v1/tokens-add-up': {
    statement: 'Tokens add up to partial_response at each frame, and to complete.response.',
    source: seed(111, 134),
  },
  'chat-v1/complete-metadata': {
    statement: 'complete names the session, the agent, the confidence and the sources.',
    source: seed(120, 134),
  },
  'chat-v1/agents': { statement: 'A classifier routes to three experts.', source: seed(471, 474) },
  'chat-v1/follow-up': { statement: 'A follow-up uses the conversation so far.', source: seed(10, 17) },
  'chat-v1/session-id': { statement: 'session_id names a conversation over connections.', source: CLIENTS },

  'bad-input/no-token': { statement: 'A message before a token gets AUTH_REQUIRED.', source: seed(145, 146) },
  'bad-input/bad-token': { statement: 'A bad token gets auth_error.', source: seed(88, 94) },
  'bad-input/expired-token': { statement: 'An expired token gets auth_error.', source: BAD_INPUT },
  'bad-input/other-signer': {
    statement: "A stranger's or unsigned token gets auth_error.",
    source: BAD_INPUT,
  },
  'bad-input/long-token': { statement: 'A token of 4,096 bytes is judged like any other.', source: GATEWAY },
  'bad-input/auth-after-auth': { statement: 'A bad renewal changes nothing.', source: GATEWAY },
  'bad-input/empty-message': { statement: 'No text gets EMPTY_MESSAGE.', source: seed(147, 147) },
  'bad-input/long-message': { statement: 'Too much text gets MESSAGE_TOO_LONG.', source: BAD_INPUT },
  'bad-input/bad-json': { statement: 'What is no JSON object gets INVALID_JSON.', source: BAD_INPUT },
  'bad-input/unknown-type': { statement: 'An unknown type gets UNKNOWN_TYPE.', source: BAD_INPUT },
  'bad-input/binary': { statement: 'Binary garbage gets INVALID_JSON.', source: BAD_INPUT },
  'bad-input/strange-ids': { statement: 'Any short text is an id like any other.', source: COMMON },
  'bad-input/bad-ids': { statement: 'What is no short text is no id.', source: COMMON },
  'bad-input/huge-frame': { statement: 'A frame of 10 MB closes with 1009.', source: BAD_INPUT },
  'bad-input/not-utf8': {
    statement: 'A text frame that is no UTF-8 ends its socket only.',
    source: BAD_INPUT,
  },
  'bad-input/not-http': {
    statement: 'Bytes that are no HTTP or no frame end nothing else.',
    source: BAD_INPUT,
  },

  'limits/rate': { statement: 'Too many frames get RATE_LIMIT with retry_after.', source: GATEWAY },
  'limits/rate-abuse': { statement: 'Who goes on after 200 refusals is closed with 1008.', source: GATEWAY },
  'limits/turns': { statement: 'Unanswered questions of a connection are capped.', source: GATEWAY },
  'limits/auth-deadline': { statement: 'No token in time closes with 4001.', source: GATEWAY },
  'limits/token-expiry': {
    statement: 'Expiry closes with 4001; a new token before renews.',
    source: GATEWAY,
  },
  'limits/origin': { statement: 'A foreign Origin gets 403 before the upgrade.', source: GATEWAY },
  'limits/origin-development': { statement: 'Localhost is allowed in development.', source: GATEWAY },
  'limits/per-user': { statement: 'One socket too many of a user is closed with 1013.', source: GATEWAY },
  'limits/per-address': { statement: 'One too many of an address is refused.', source: GATEWAY },
  'limits/global': { statement: 'One too many of a gateway is refused with 503.', source: GATEWAY },

  'http/health': { statement: '/health, /livez and /readyz tell the state.', source: seed(393, 400) },
  'http/test-page': { statement: '/ws/test is the page.', source: seed(340, 353) },
  'http/jwks': { statement: 'The public keys are published.', source: issue('Parts, 4. auth') },
  'http/unknown-route': { statement: '404 and 405 are JSON; 405 says what is allowed.', source: GATEWAY },
  'http/upgrade-required': { statement: 'A plain request to a WebSocket path gets 426.', source: GATEWAY },
  'http/no-dev-login': { statement: 'No login by name unless switched on.', source: issue('Parts, 4. auth') },
  'http/chat': { statement: 'POST /api/v1/chat answers whole.', source: seed(426, 436) },
  'http/chat-conversation': { statement: 'It shares conversations with sockets.', source: GATEWAY },
  'http/chat-auth': { statement: 'It wants a good token.', source: GATEWAY },
  'http/chat-bad-body': { statement: 'It refuses a wrong or too large body by a code.', source: BAD_INPUT },
  'internal/metrics': { statement: 'Every service has metrics on an internal port.', source: RUNTIME },
  'internal/health': { statement: 'Every service tells its health there.', source: RUNTIME },
  'internal/no-tokens-in-logs': { statement: 'No token reaches a log.', source: RUNTIME },

  'model/cut-off': { statement: 'Cut off: one PROCESSING_ERROR with a correlation id.', source: MODEL },
  'model/garbage': { statement: 'Garbage in the stream: the same.', source: MODEL },
  'model/slow': { statement: 'Too slow or silent: the same.', source: MODEL },
  'model/status': { statement: 'An error status each time: the same.', source: MODEL },
  'model/down': { statement: 'Down: the same, and well again when it is back.', source: MODEL },
  'model/retry': { statement: 'A failure before the first token is tried again.', source: MODELS },
  'model/classifier-down': { statement: 'Routing without the model does not fail the run.', source: AGENT },
  'model/failed-once': { statement: 'A failed run stays failed under its id.', source: ONCE },
  'model/over-http': { statement: 'Over HTTP a failed run is a 502.', source: MODEL },

  'once/same-socket': { statement: 'Twice on one socket: one run.', source: ONCE },
  'once/two-sockets': { statement: 'On sockets of two gateways: one run, both get all.', source: ONCE },
  'once/after-the-end': { statement: 'After the end: the same answer, no run.', source: ONCE },
  'once/over-http': { statement: 'Over a socket and HTTP: one run.', source: ONCE },
  'isolation/message-id': { statement: 'The same id from another user gives their own.', source: ONCE },
  'isolation/session-id': { statement: 'A session_id shows nobody else’s conversation.', source: COMMON },
  'isolation/customer-id': { statement: 'A customer_id opens nobody else’s appointments.', source: AGENT },
  'isolation/switched-user': { statement: 'A socket that changes its user starts anew.', source: COMMON },

  'scale/any-agent': { statement: 'Any client is answered by any agent.', source: CRASH },
  'crash/agent-killed': { statement: 'Another agent takes over within 8 s, one end.', source: CRASH },
  'crash/other-agent-killed': { statement: 'The death of an idle agent changes nothing.', source: CRASH },
  'crash/agent-paused': { statement: 'Late tokens of a paused agent reach nobody.', source: AGENT },
  'crash/agent-stopped': { statement: 'A stopping agent hands its runs over at once.', source: RUNTIME },
  'crash/all-agents-killed': { statement: 'Questions outlive all agents.', source: CRASH },
  'crash/broker-mid-run': { statement: 'A broker killed in mid-run costs no run.', source: CRASH },
  'crash/broker-comes-back': { statement: 'Services come back by themselves.', source: CRASH },
  'crash/broker-between-turns': { statement: 'Sockets and conversations outlive it.', source: CRASH },
  'crash/broker-no-loss': { statement: 'No accepted question is lost; one answer each.', source: CRASH },
  'crash/gateway-killed': { statement: 'Another gateway gives the whole answer once.', source: ONCE },
  'crash/gateway-killed-idle': { statement: 'A run needs no listener.', source: ONCE },
  'crash/gateway-stopped': { statement: 'SIGTERM: 1012 to all, exit code 0.', source: GATEWAY },
  'crash/dead-turn': { statement: 'A turn that kills its agents ends with one error.', source: AGENT },

  'order/one-socket': { statement: 'Questions of a conversation are answered in order.', source: AGENT },
  'order/two-gateways': { statement: 'Also over two gateways.', source: AGENT },
  'order/others-go-on': { statement: 'Other conversations don’t wait.', source: AGENT },
  'load/thousand-sockets': { statement: '1,000 sockets get their own right answers.', source: LOAD },

  'docs/readme-commands': { statement: 'Every command in the README was run as written.', source: README },
  'docs/readme-clients': { statement: "It shows the seed's own clients, and they run.", source: README },
  'docs/readme-extend': { statement: 'Its knowledge file and its agent are used.', source: README },
} as const satisfies Record<string, Requirement>;
