/** What PROTOCOLS demands of fastchat-v1, session-v1 and rooms-v1, beyond the seeds. */
import { part, type Requirements } from './requirement.ts';

export const PROTOCOLS_WIRES: Requirements = {
  ...part('fastchat-v1', {
    'fastchat/len-context-default': 'len_context is 20 where it is not given.',
    'fastchat/accepted-text': 'The confirmation is status success, `Connected: Connection Accepted`.',
    'fastchat/refused-user':
      'A refused user gets status error, `Disconnected: Unauthorized ACCESS-TOKEN`, 1008.',
    'fastchat/refused-admin': 'A refused admin gets `Disconnected: Unauthorized Master Token`, 1008.',
    'fastchat/eof-text': 'The terminator is the text `--eof`.',
    'fastchat/step-order': 'Steps: Task query decomposer, Select prompts, Select service.',
    'fastchat/data-frames': 'data frames have querys, prompts, service and args.',
    'fastchat/query-frame': 'A query frame names the query that is answered.',
    'fastchat/response-and-content': 'response and content carry the same delta.',
    'fastchat/usage-last': 'meta has the token usage on the last chunk.',
    'fastchat/servers-forms': 'aditional_servers may be single-quoted; empty, None or bad JSON means none.',
    'fastchat/servers-frame-text':
      'The first frame within 2 s may be `__fastchat_additional_servers__:{json}`.',
    'fastchat/servers-frame-json':
      'The first frame within 2 s may be a JSON frame of type additional_servers.',
    'fastchat/servers-stdio': 'stdio is never accepted from the wire.',
    'fastchat/servers-addresses': 'URLs of inner addresses are refused.',
    'fastchat/token-claims': 'Tokens have client_id, type and exp (30 and 365 days), HS256.',
    'fastchat/token-answers': 'Token routes answer status, message, code and data.',
    'fastchat/store-get': 'The store is asked with GET {path}/token?client_id= and the configured headers.',
    'fastchat/store-post': 'New tokens are POSTed to the store.',
  }),
  ...part('session-v1', {
    'session/tool-frames': 'tool frames come between echo and answer, with JSON text as content.',
    'session/error-text': 'The text of an error has a correlation id and no internals.',
  }),
  ...part('rooms-v1', {
    'rooms/token-header': 'A token in the Authorization header signs in.',
    'rooms/token-cookie': 'A token in the cookie access_token signs in.',
    'rooms/token-claims': 'WebSocket tokens have sub, exp, type websocket and iat.',
    'rooms/close-unauthenticated': 'No good token: closed with 4001 `Authentication required`.',
    'rooms/close-internal': 'An internal error closes with 4000 `Internal server error`.',
    'rooms/type-default': 'A frame without a type is chat.',
    'rooms/delta': 'While streaming content is a delta, and message_id is the client’s.',
    'rooms/completion-both-costs': 'The final frame has cost and cost_usd, and a timestamp.',
    'rooms/user-message': 'Members get a message as role user, with user_id, username and message_id.',
    'rooms/ai-typing': 'The AI types as user_id assistant, username AI Assistant.',
    'rooms/error-texts': 'Error texts are those of the original.',
    'rooms/stats-fields': 'Statistics have their five fields, over the whole cluster.',
    'rooms/room-fields': 'A room is described by its eight fields.',
    'rooms/create-conflict': 'POST /rooms: 409 for a room that exists, 400 for a bad type.',
    'rooms/get-forbidden': 'GET of a room: 403 for who is no participant.',
    'rooms/read-receipt': 'read_receipt in; delivery_confirmation with status read and user_id out.',
  }),
  ...part('Common rules', {
    'wires/one-terminal-frame': 'A turn has exactly one terminal frame on each wire.',
    'wires/no-internals': 'Error texts of each wire have no internals, only a correlation id.',
  }),
};
