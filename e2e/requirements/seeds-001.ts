/** What seeds/001 demands: chat-v1, its page and its clients. */
import { type Aside, type Requirements, rowOf } from './requirement.ts';

const row = rowOf('001');

export const SEEDS_001: Requirements = {
  'seed/js-client': row('The JavaScript client of the seed works as it is.', 154, 270),
  'seed/js-query-token': row("The JavaScript client's class signs in by a token in the query.", 31, 33),
  'seed/js-refused': row('The JavaScript client is told of a token that is not accepted.', 88, 94),
  'seed/several-questions': row('Several questions in one connection.', 362, 369),
  'seed/python-client': row('The Python client of the seed works as it is.', 276, 334),
  'seed/python-refused': row('The Python client ends when its token is not accepted.', 296, 298),
  'chat-v1/auth-query': row('A token in the query signs in.', 30, 33),
  'chat-v1/auth-frame': row('A token in an auth frame signs in, with or without Bearer.', 35, 45),
  'chat-v1/auth-success': row("auth_success carries the user's claims.", 75, 86),
  'chat-v1/progress-order': row('Four steps, in order, with their texts.', 96, 109),
  'chat-v1/tokens-add-up': row(
    'Tokens add up to partial_response at each frame, and to complete.response.',
    111,
    134,
  ),
  'chat-v1/complete-metadata': row(
    'complete names the session, the agent, the confidence and the sources.',
    120,
    134,
  ),
  'chat-v1/agents': row('A classifier routes to three experts.', 471, 474),
  'chat-v1/follow-up': row('A follow-up uses the conversation so far.', 10, 17),
  'bad-input/no-token': row('A message before a token gets AUTH_REQUIRED.', 145, 146),
  'bad-input/bad-token': row('A bad token gets auth_error.', 88, 94),
  'bad-input/empty-message': row('No text gets EMPTY_MESSAGE.', 147),
  'http/health': row('/health, /livez and /readyz tell the state.', 393, 400),
  'http/test-page': row('/ws/test is the page.', 340, 353),
  'http/chat': row('POST /api/v1/chat answers whole.', 426, 436),
};

export const ASIDE_001: readonly Aside[] = [
  [3, 6, 'what the document is'],
  [24, 26, 'the address: chat-v1/auth-query'],
  [53, 59, 'the frame of chat-v1/auth-frame'],
  [61, 69, 'the frame of chat-v1/session-id and isolation/customer-id'],
  [136, 143, 'the frame of bad-input/bad-json and its neighbours'],
  [148, 148, 'model/cut-off'],
  [357, 360, 'how the original runs its tests'],
  [375, 379, 'figures of the original; ours are in bench/'],
  [382, 383, 'load/thousand-sockets'],
  [385, 387, 'figures of the original; ours are in bench/'],
  [401, 401, 'how the original shows its logs'],
  [403, 411, 'bad-input/bad-token and bad-input/expired-token'],
  [413, 422, 'advice to users of the original; the error is that of model/cut-off'],
  [443, 450, 'plans of the original; issue 3 has most of them'],
  [456, 483, 'how the original is built; its agents are chat-v1/agents'],
  [487, 489, 'state of the document'],
];
