import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { fixedKey } from '../../logs/credential.ts';
import { type FollowOptions, followLogs } from '../../logs/follow-logs.ts';

const soon = (check: () => void) => vi.waitFor(check, { timeout: 10_000 });

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A gateway that gives these answers one after the other, and then the last one again. */
async function gateway(...answers: Answer[]) {
  const requests: { url: string; authorization?: string; lastEventId?: string }[] = [];
  const server = createServer((request, response) => {
    const { authorization, 'last-event-id': lastEventId } = request.headers;
    const seen = { url: request.url ?? '', authorization, lastEventId: lastEventId as string | undefined };
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(seen);
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { requests, url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`) };
}

const stream =
  (text: string, end: 'end' | 'break' | 'stay' = 'stay'): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    response.write(text, () => {
      if (end === 'end') response.end();
      if (end === 'break') response.destroy();
    });
  };

const refuse =
  (status: number, body = '{"error":"Because","code":"X"}', type = 'application/json'): Answer =>
  (_request, response) =>
    void response.writeHead(status, { 'content-type': type }).end(body);

function follow(url: URL, more: Partial<FollowOptions> = {}) {
  const end = new AbortController();
  const printed: string[] = [];
  const said: string[] = [];
  const waits: number[] = [];
  const done = followLogs({
    url,
    filter: { service: null, level: null, category: null },
    tail: 50,
    credential: fixedKey('nk_key'),
    print: async (data) => void printed.push(data),
    say: (text) => void said.push(text),
    signal: end.signal,
    wait: async (ms) => void waits.push(ms),
    random: () => 1,
    ...more,
  });
  done.catch(() => undefined);
  onTestFinished(() => end.abort());
  return { printed, said, waits, done, end: () => end.abort() };
}

test('it says once what it follows, when the stream is open, also where no line comes', async () => {
  const { url, requests } = await gateway(refuse(503), stream('retry: 100\n\n', 'end'));
  const began: string[] = [];
  const filter = { service: null, level: 'warn', category: 'a.b' } as const;
  follow(url, { filter, began: (text) => void began.push(text) });
  await soon(() => expect(requests.length).toBeGreaterThan(3));
  expect(began).toEqual([`following ${url.origin}, level=warn, category=a.b, tail=50`]);
});

test('it asks with key, filter and tail, prints what comes, and ends without a word', async () => {
  const { url, requests } = await gateway(stream('id: 1\ndata: a\n\n: beat\n\nid: 2\ndata: b\ndata: c\n\n'));
  const filter = { service: 'agent', level: 'warn', category: 'a.b' } as const;
  const { printed, said, done, end } = follow(url, { filter, tail: 7 });
  await soon(() => expect(printed).toEqual(['a', 'b\nc']));
  end();
  await done;
  expect(said).toEqual([]);
  expect(requests).toEqual([
    {
      url: '/api/get-logs-stream?format=full&service=agent&level=warn&category=a.b&tail=7',
      authorization: 'Bearer nk_key',
      lastEventId: undefined,
    },
  ]);
});

test.each(['end', 'break'] as const)('after a stream that %ss it goes on behind the last id', async (how) => {
  const { url, requests } = await gateway(stream('id: 41\ndata: a\n\n', how), stream('id: 42\ndata: b\n\n'));
  const { printed, said } = follow(url);
  await soon(() => expect(printed).toEqual(['a', 'b']));
  expect(requests[1]).toMatchObject({ url: '/api/get-logs-stream?format=full', lastEventId: '41' });
  expect(said).toEqual([
    expect.stringMatching(/^disconnected from http:\/\/127\.0\.0\.1:\d+ \(.+\); trying again$/),
    expect.stringMatching(/^connected to http:\/\/127\.0\.0\.1:\d+ again$/),
  ]);
});

test('it says once that nobody answers, waits longer each time, and says when somebody does', async () => {
  const busy = refuse(503);
  const { url } = await gateway(busy, busy, busy, busy, stream('data: a\n\n'));
  const { printed, said, waits } = follow(url);
  await soon(() => expect(printed).toEqual(['a']));
  expect(waits).toEqual([250, 500, 1_000, 2_000]);
  expect(said).toEqual([
    expect.stringMatching(/it answered 503: Because/),
    expect.stringMatching(/^connected/),
  ]);
});

test('it tries again where nobody listens', async () => {
  const { url } = await gateway(stream(''));
  const gone = new URL(url);
  gone.port = '1';
  const { said, waits } = follow(gone, {
    wait: async (ms, signal) => {
      waits.push(ms);
      if (waits.length < 3) return;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  });
  await soon(() => expect(waits).toHaveLength(3));
  expect(said).toEqual([expect.stringMatching(/^disconnected from .* \(.+\); trying again$/)]);
});

test('the server’s retry is the first wait', async () => {
  const { url } = await gateway(stream('retry: 3000\n\n', 'end'), stream('data: a\n\n'));
  const { printed, waits } = follow(url);
  await soon(() => expect(printed).toEqual(['a']));
  expect(waits).toEqual([3_000]);
});

test('a gateway that says nothing any more is left', async () => {
  // By the id, not by the number of the request: on a slow machine the first one may be left too early.
  const { url } = await gateway((request, response) => {
    const text = request.headers['last-event-id'] === '3' ? 'data: b\n\n' : 'id: 3\ndata: a\n\n';
    stream(text)(request, response);
  });
  const { printed, said, end, done } = follow(url, { silenceMs: 50 });
  await soon(() => expect(printed.slice(0, 2)).toEqual(['a', 'b']));
  expect(said[0]).toContain('it says nothing any more');
  end();
  await done;
});

test.each([
  [401, 'LOGS_REFUSED', /refused the key \(401: Because\)$/],
  [403, 'LOGS_REFUSED', /may not read logs .* \(403: Because\)$/],
  [404, 'LOGS_REFUSED', /answered 404: Because and no log stream/],
  [302, 'LOGS_REFUSED', /answered 302/],
])('an answer %i ends it with one line', async (status, code, message) => {
  const { url, requests } = await gateway(refuse(status));
  const { done } = follow(url);
  await expect(done).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  await expect(done).rejects.not.toMatchObject({ message: expect.stringMatching(/nk_key|\n/) });
  expect(requests).toHaveLength(1);
});

test('a page in place of a stream ends it', async () => {
  const { url } = await gateway(refuse(200, '<html>', 'text/html'));
  await expect(follow(url).done).rejects.toMatchObject({ code: 'LOGS_REFUSED' });
});

test('a credential that can be renewed is shown once more, at once', async () => {
  const { url, requests } = await gateway(refuse(401), stream('data: a\n\n'));
  let made = 0;
  const credential = {
    value: async () => {
      made += 1;
      return `token-${made}`;
    },
    renew: () => made === 1,
  };
  const { printed, waits, said } = follow(url, { credential });
  await soon(() => expect(printed).toEqual(['a']));
  expect(requests.map(({ authorization }) => authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
  expect([waits, said]).toEqual([[], []]);
});

test('a printer that is slow holds back what comes next', async () => {
  const { url } = await gateway(stream('data: a\n\ndata: b\n\n'));
  const { promise, resolve } = Promise.withResolvers<void>();
  const printed: string[] = [];
  const print = (data: string) => {
    printed.push(data);
    return promise;
  };
  follow(url, { print, silenceMs: 10 });
  await soon(() => expect(printed).toEqual(['a']));
  resolve();
  await soon(() => expect(printed.slice(0, 2)).toEqual(['a', 'b']));
});
