import { expect, test } from 'vitest';
import { BusError } from '../src/bus/errors.ts';
import { createLogger, redactText } from '../src/logger.ts';

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

test('text without a credential stays as it is', () => {
  expect(redactText('the token expired after 3 bearers asked')).toBe(
    'the token expired after 3 bearers asked',
  );
});
