/** What seeds/000 demands: fastchat-v1. */
import { type Aside, type Requirements, rowOf } from './requirement.ts';

const row = rowOf('000');

export const SEEDS_000: Requirements = {
  'fastchat/two-routes': row('There is a WebSocket route for users and one for admins.', 7, 9),
  'fastchat/text-and-steps': row(
    'Questions are plain text; what comes back is a stream of JSON steps and a terminator.',
    10,
  ),
  'fastchat/user-route': row('/chat/user wants an access token in a header.', 15),
  'fastchat/admin-route': row('/chat/admin wants the master token in a header.', 16),
  'fastchat/token-each-connection': row('The token is judged anew at each connection.', 17),
  'fastchat/address': row(
    'The address is /chat/user or /chat/admin; another word there is no route.',
    21,
    22,
  ),
  'fastchat/chat-id': row('chat_id names the conversation, over connections.', 24),
  'fastchat/model': row('model chooses the model that answers.', 25),
  'fastchat/llm-provider': row('llm_provider chooses the provider.', 26),
  'fastchat/len-context': row('len_context is how much of the conversation so far the model is given.', 27),
  'fastchat/header-access-token': row(
    'A token in ACCESS-TOKEN signs in on /chat/user, and nowhere else.',
    31,
  ),
  'fastchat/header-master-token': row(
    'A token in MASTER-TOKEN signs in on /chat/admin, and nowhere else.',
    32,
  ),
  'fastchat/header-servers': row('aditional_servers (sic) carries a JSON list of auxiliary services.', 33),
  'fastchat/accepted': row('The first frame is the JSON confirmation, and it comes by itself.', 37),
  'fastchat/query-text': row('A text frame is a question as it stands, also when it looks like JSON.', 38),
  'fastchat/steps': row('Each JSON frame of an answer is a step or a chunk of the response.', 39),
  'fastchat/eof': row('After the last frame of an answer comes the literal terminator.', 40),
  'fastchat/client-closes': row('A client that closes in mid-answer leaves nothing behind.', 41),
  'fastchat/field-type': row('type says what a frame is.', 45, 46),
  'fastchat/field-content': row('content is partial text; all of it adds up to the answer.', 47),
  'fastchat/field-first-chunk': row('first_chunk is true in the first fragment and false in the others.', 48),
  'fastchat/field-meta': row('meta has a timestamp, and the token usage in the end.', 49),
  'fastchat/nothing-after-eof': row('Nothing of an answer comes after its terminator.', 50),
  'fastchat/example-addresses': row('The example addresses work as written.', 54, 56),
  'fastchat/example-tokens': row('The example headers with tokens work as written.', 57, 59),
  'fastchat/example-servers': row('The example of aditional_servers works as written, quotes included.', 60),
  'fastchat/client-flow': row('The flow of the client in pseudocode works step by step.', 64, 76),
  'fastchat/server-flow': row('Each text gets its steps and one terminator, any number of times.', 78, 88),
  'fastchat/env-openai': row('OPENAI_API_KEY is used for the model.', 92),
  'fastchat/env-master-token': row('MASTER_TOKEN is the master token.', 92),
  'fastchat/env-cryptography-key': row('CRYPTOGRAPHY_KEY signs access tokens (HS256).', 92),
  'fastchat/config-file': row('The configuration file defines the token store outside.', 93),
  'fastchat/auth-middleware': row(
    'With auth_middleware an external service judges the tokens of clients; the master token has none.',
    95,
    97,
  ),
  'fastchat/config-shape': row('The example of a configuration file is read as written.', 99, 114),
  'fastchat/database-api-path': row(
    'database_api_path is the full URL that is asked; without it there is no start.',
    116,
  ),
  'fastchat/middleware-headers': row(
    'The headers of auth_middleware go along with each request; without them there is no start.',
    117,
  ),
};

export const ASIDE_000: readonly Aside[] = [[3, 3, 'a picture']];
