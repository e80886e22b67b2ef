import { expect, test } from 'vitest';
import { BusError } from '../src/bus/errors.ts';
import { createLogger, hideSecrets, isSecretKey, redactText } from '../src/logger.ts';

const JWT = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';

/** What one call writes; pino hands each line to the stream's `write`. */
function written(log: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  const logger = createLogger('test', 'trace', { write: (line: string) => void lines.push(line) });
  log(logger);
  return lines.join('');
}

test('a line has level, service, time and message', () => {
  const line = JSON.parse(written((log) => log.info({ port: 1 }, 'ready')));
  expect(line).toMatchObject({ level: 'info', service: 'test', port: 1, msg: 'ready' });
  expect(new Date(line.time).getTime()).toBeGreaterThan(0);
});

test.each([
  ['a token', { token: JWT }],
  ['a nested header', { headers: { authorization: `Bearer ${JWT}` } }],
  ['a cookie two levels deep', { request: { headers: { cookie: `a=${JWT}` } } }],
])('%s among the fields is redacted', (_name, fields) => {
  const line = written((log) => log.info(fields, 'request'));
  expect(line).not.toContain(JWT);
  expect(line).toContain('[redacted]');
});

test('credentials in messages, errors, causes and codes are redacted', () => {
  const cause = new Error(`GET /ws?token=${JWT} failed with Bearer s3cret and sk-abcdefgh12345`);
  const line = written((log) =>
    log.error({ err: new BusError('UNAVAILABLE', `lost ${JWT}`, cause) }, `at ?access_token=hunter2 end`),
  );
  for (const secret of [JWT, 's3cret', 'sk-abcdefgh12345', 'hunter2']) expect(line).not.toContain(secret);
  expect(JSON.parse(line)).toMatchObject({
    msg: 'at ?access_token=[redacted] end',
    err: { code: 'UNAVAILABLE', cause: { message: expect.stringContaining('/ws?token=[redacted] failed') } },
  });
});

test('an error given alone is redacted in the message that pino takes from it', () => {
  const error = new Error(`lost ${JWT}`);
  for (const line of [written((log) => log.error(error)), written((log) => log.error({ err: error }))]) {
    expect(line).not.toContain(JWT);
    expect(JSON.parse(line).msg).toBe('lost [redacted]');
  }
});

const NATTER_KEY = `nk_abcdefgh12345678_${'x'.repeat(43)}`;
const SEED = `SU${'A'.repeat(56)}`;

test.each([
  ['a key of ours', `refused ${NATTER_KEY}`, NATTER_KEY],
  ['the seed of an nkey', `read ${SEED}`, SEED],
  ['?token=', 'GET /ws/logs?token=canary HTTP/1.1', 'canary'],
  ['&access_token=', 'a?b=1&access_token=canary&c=2', 'canary'],
  ['api_key= without a question mark', 'api_key=canary', 'canary'],
  ['token= inside an encoded URL', '?next=%2Fws%3Ftoken%3Dcanary', 'canary'],
  ['JSON inside a text', 'got {"access_token":"canary"}', 'canary'],
  ['a header in JSON inside a text', 'got {"authorization":"Basic canary"}', 'canary'],
  [
    'a cookie in JSON twice inside a text',
    JSON.stringify({ body: '{"set-cookie": ["a=canary"]}' }),
    'canary',
  ],
  ['a key with a dash in JSON inside a text', 'sent {"x-api-key": "canary"}', 'canary'],
  ['a header as curl shows it', '> Authorization: Basic canary', 'canary'],
  ['a bearer header as curl shows it', '> authorization: Bearer canary', 'canary'],
  ['a key in a header as curl shows it', '> X-Api-Key: canary', 'canary'],
  [
    'a password of the broker',
    'lost nats://natter:canary@10.0.0.1:4222,nats://natter:canary@10.0.0.2',
    'canary',
  ],
  ['a token of the broker', 'lost nats://canary@10.0.0.1', 'canary'],
  ['the beginning of a token', `cut off: ${JWT.slice(0, 30)}`, JWT.slice(0, 20)],
])('%s is redacted in messages, fields, children and errors', (_name, text, secret) => {
  const lines = written((log) => {
    log.info(text);
    log.info({ request: { target: [{ url: text }] } }, 'field');
    log.child({ url: text }).info('child');
    log.error({ err: new Error(text) }, 'error');
    log.info({ text: `behind a line break\n${text}` }, 'break');
  });
  expect(lines).not.toContain(secret);
  for (const line of lines.trimEnd().split('\n')) expect(JSON.parse(line).service).toBe('test');
});

test('secret fields of any kind are redacted at any depth', () => {
  const line = written((log) =>
    log.child({ 'access-token': 'canary-1' }).info({
      a: { b: { c: [{ Authorization: 'canary-2', cookie: ['canary-3'], secret: { of: 'canary-4' } }] } },
    }),
  );
  expect(line).not.toContain('canary');
  expect(JSON.parse(line).a.b.c[0]).toEqual({
    Authorization: '[redacted]',
    cookie: '[redacted]',
    secret: '[redacted]',
  });
});

test('a line whose fields throw is written without them', () => {
  const fields = {
    get broken(): string {
      throw new Error('no such thing');
    },
  };
  const line = JSON.parse(written((log) => log.warn(fields, 'still said')));
  expect(line).toMatchObject({ level: 'warn', msg: 'still said', unwritable: 'Error: no such thing' });
});

test('circular fields and big integers are written', () => {
  const circle: Record<string, unknown> = { big: 2n ** 80n };
  circle.self = circle;
  expect(JSON.parse(written((log) => log.info({ circle }, 'round'))).msg).toBe('round');
});

test.each([
  ['warn', 'info', ['warn'], ['info', 'warn']],
  ['silent', 'info', [], ['info', 'warn']],
  ['debug', 'error', ['debug', 'info', 'warn'], []],
  ['info', 'silent', ['info', 'warn'], []],
])('at level %s with a second destination at %s each gets its own lines', (level, other, first, second) => {
  const lines: Record<'first' | 'second', string[]> = { first: [], second: [] };
  const into = (name: 'first' | 'second') => ({
    write: (line: string) => void lines[name].push(JSON.parse(line).level),
  });
  const log = createLogger('test', level, into('first'), { level: other, stream: into('second') });
  for (const one of ['debug', 'info', 'warn'] as const) log[one]('x');
  expect(lines).toEqual({ first, second });
});

test.each([
  '-eyJ',
  'eyJa.',
  '.eyJa',
  'eyJa-',
  'nk_-',
  'token=',
  'token"',
  'Bearer ',
  '://',
  '://a',
  '_',
  'token_',
])('a megabyte of %j is redacted in no time', (text) => {
  const long = text.repeat(1_000_000 / text.length);
  const start = performance.now();
  redactText(long);
  isSecretKey(`${long}!`);
  expect(performance.now() - start).toBeLessThan(1_000);
});

test('text without a credential stays as it is', () => {
  expect(redactText('the token expired after 3 bearers asked')).toBe(
    'the token expired after 3 bearers asked',
  );
  for (const text of ['Eyjafjallajökull', 'https://example.com/@scope/package', 'a@b.example', 'eyJ.a.b'])
    expect(redactText(text)).toBe(text);
});

test('secrets of the process are redacted wherever they are, whatever is around them', () => {
  const secret = 'c$nary "of" (the) settings/+';
  const text = (form: string) => `Incorrect key provided: ${form}. Try another.`;
  expect(redactText(text(secret))).toBe(text(secret));
  hideSecrets([secret, 'short', `${secret} and longer`]);
  const forms = [secret, encodeURIComponent(secret), `${secret} and longer`];
  for (const form of forms) expect(redactText(text(form))).toBe(text('[redacted]'));
  const line = written((log) =>
    log.warn({ err: new Error(text(secret)), answer: { text: secret } }, 'refused'),
  );
  expect(JSON.parse(line)).toMatchObject({
    err: { message: text('[redacted]') },
    answer: { text: '[redacted]' },
  });
  // One so short would be found in words that are none.
  expect(redactText('a short text')).toBe('a short text');
});
