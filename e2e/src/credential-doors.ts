/** Every place where a client may show a credential, on the wires and over HTTP. */

export interface SocketDoor {
  name: string;
  /** With the credential in it, where it belongs into the query. */
  path: string;
  headers?: Record<string, string>;
  /** Sent once it is open; a string as it is. */
  frames?: unknown[];
}

export interface HttpDoor {
  name: string;
  method: string;
  path: string;
  headers?: Record<string, string>;
  /** A string as it is, anything else as JSON. */
  body?: unknown;
}

const QUESTION = 'What is the engine power?';
const SERVERS = '__fastchat_additional_servers__:';

/** Sockets that a person opens; the first frame that comes is an answer to the credential. */
export function personDoors(secret: string): SocketDoor[] {
  const bearer = { authorization: `Bearer ${secret}` };
  const chat = [{ type: 'message', message: QUESTION }];
  const rooms = '/api/v1/ws/ws';
  return [
    { name: 'chat-v1, query', path: `/ws/chat?token=${secret}`, frames: chat },
    { name: 'chat-v1, query with Bearer', path: `/ws/chat?token=Bearer%20${secret}`, frames: chat },
    { name: 'chat-v1, auth frame', path: '/ws/chat', frames: [{ type: 'auth', token: secret }, ...chat] },
    { name: 'session-v1, query', path: `/ws/a-session?token=${secret}`, frames: [{ content: QUESTION }] },
    { name: 'session-v1, header', path: '/ws/a-session', headers: bearer, frames: [{ content: QUESTION }] },
    { name: 'rooms-v1, query', path: `${rooms}?token=${secret}` },
    { name: 'rooms-v1, header', path: rooms, headers: bearer },
    { name: 'rooms-v1, cookie', path: rooms, headers: { cookie: `theme=dark; access_token=${secret}` } },
    { name: 'fastchat-v1, query', path: `/chat/user?access_token=${secret}` },
    { name: 'fastchat-v1, header', path: '/chat/user', headers: { 'ACCESS-TOKEN': secret } },
  ];
}

export function masterDoors(secret: string): SocketDoor[] {
  return [
    { name: 'fastchat-v1 admin, query', path: `/chat/admin?master_token=${secret}` },
    { name: 'fastchat-v1 admin, header', path: '/chat/admin', headers: { 'MASTER-TOKEN': secret } },
  ];
}

/** A line of the past is the first frame of whoever is let in. */
export function logDoors(secret: string): SocketDoor[] {
  const headers = { authorization: `Bearer ${secret}` };
  return [
    { name: 'logs-v1, header', path: '/ws/logs?tail=1', headers },
    { name: 'logs-v1, query', path: `/ws/logs?tail=1&token=${secret}` },
  ];
}

/** Routes that look at a bearer token; none of them answers with a credential. */
export function httpDoors(secret: string): HttpDoor[] {
  const headers = { authorization: `Bearer ${secret}` };
  const question = { message: QUESTION, session_id: 'over-http', message_id: 'the-same' };
  const routes: [string, string, unknown?][] = [
    ['GET', '/api/v1/ws/stats'],
    ['GET', '/api/v1/ws/rooms/a-room'],
    ['POST', '/api/v1/ws/rooms', { room_id: 'a-room', room_type: 'group' }],
    ['GET', '/api/v1/files'],
    ['GET', '/api/v1/api-keys'],
    ['POST', '/api/logs', { msg: 'over HTTP' }],
    ['POST', '/api/broadcast-log', { message: 'over HTTP' }],
    ['GET', '/api/get-active-websockets'],
    ['POST', '/api/v1/chat', question],
    // A retry: the same question with the same token.
    ['POST', '/api/v1/chat', question],
  ];
  return routes.flatMap(([method, path, body]) => [
    { name: `${method} ${path}, header`, method, path, headers, body },
    {
      name: `${method} ${path}, query`,
      method,
      path: `${path}?token=${secret}&access_token=${secret}`,
      body,
    },
  ]);
}

/** Requests that nothing can be made of, each with a credential somewhere. */
export function brokenRequests(secret: string): HttpDoor[] {
  const headers = { authorization: `Bearer ${secret}`, cookie: `access_token=${secret}` };
  const cut = `{"token":"${secret}","access_token":"${secret}","message":`;
  const posts = ['/api/v1/chat', '/api/v1/ws/rooms', '/api/logs', '/api/broadcast-log', '/api/v1/api-keys'];
  return [
    ...['GET', 'POST', 'PUT'].map((method) => ({
      name: `${method} of an unknown route`,
      method,
      path: `/no/such/route?token=${secret}&api_key=${secret}`,
      headers,
    })),
    { name: 'a WebSocket’s path', method: 'GET', path: `/ws/chat?token=${secret}`, headers },
    { name: 'another method', method: 'DELETE', path: `/api/logs?token=${secret}`, headers },
    { name: 'a malformed escape', method: 'GET', path: `/api/v1/ws/rooms/%zz?token=${secret}`, headers },
    { name: 'refresh', method: 'GET', path: `/auth/token/refresh?refresh_token=${secret}` },
    { name: 'master token', method: 'GET', path: '/auth/token/new', headers: { 'MASTER-TOKEN': secret } },
    { name: 'a login', method: 'POST', path: '/api/v1/dev/login', body: { sub: '', token: secret } },
    { name: 'tus', method: 'POST', path: `/api/v1/uploads?token=${secret}`, headers },
    { name: 'a file', method: 'GET', path: `/api/v1/files/none?token=${secret}`, headers },
    ...posts.map((path) => ({ name: `half of a body, ${path}`, method: 'POST', path, headers, body: cut })),
  ];
}

/** Frames with a credential where none is expected, for a socket that is signed in, by the path. */
export function brokenFrames(secret: string): Record<string, unknown[]> {
  const frames = [
    `{"type":"auth","token":"${secret}"`,
    `token=${secret}`,
    Buffer.from(`{"token":"${secret}"}`),
    { type: 'auth', token: secret },
    { type: 'no_such_type', token: secret, data: { authorization: `Bearer ${secret}` } },
    { type: 'join_room', data: { token: secret } },
    { type: 'file_upload', data: { upload_type: 'init', token: secret } },
    { ack: secret },
  ];
  const servers = { a: { 'httpstream-url': `http://127.0.0.1/?token=${secret}`, auth: secret } };
  return {
    '/ws/chat': frames,
    '/ws/a-session': frames,
    '/api/v1/ws/ws': frames,
    // Here every other text is a question.
    '/chat/user': [
      SERVERS + JSON.stringify(servers),
      `${SERVERS}{"a":{"headers":{"x":"${secret}"}`,
      QUESTION,
    ],
  };
}
