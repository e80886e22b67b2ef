import { describe, expect, test } from 'vitest';
import { ConfigError, loadConfig, setting, unknownVariables } from '../../src/config/define.ts';
import { choice, flag, httpUrl, integer, list, optional, string } from '../../src/config/kinds.ts';

const SETTINGS = {
  port: setting('PORT', integer(8000, 0, 65_535), 'A port.'),
  name: setting('NAME', string('natter'), 'A name.'),
  secret: setting(
    'SECRET',
    optional().refine((value) => value === null || value.length > 8, 'is too short'),
    'A secret.',
    {
      secret: true,
    },
  ),
};

describe('loadConfig', () => {
  test('unset and empty variables have their defaults', () => {
    const expected = { port: 8000, name: 'natter', secret: null };
    expect(loadConfig(SETTINGS, {}).config).toEqual(expected);
    expect(loadConfig(SETTINGS, { PORT: '', NAME: '  ', SECRET: '' }).config).toEqual(expected);
  });

  test('every bad variable is named, and a secret is not repeated', () => {
    const load = () => loadConfig(SETTINGS, { PORT: '80a', SECRET: 'hunter2' });
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(
      expect.objectContaining({
        code: 'CONFIG',
        problems: ['PORT: must be a whole number from 0 to 65535', 'SECRET: is too short'],
      }),
    );
    expect(load).not.toThrow(/hunter2/);
  });
});

describe('unknownVariables', () => {
  test('a NATTER_ variable that nobody reads is reported', () => {
    const env = { NATTER_HOSTT: 'x', NATTER_HOST: 'x', NATTERING: 'x', OTHER: 'x' };
    expect(unknownVariables(env)).toEqual(['NATTER_HOSTT']);
  });

  test('what Kubernetes injects for Services of ours is not reported', () => {
    const env = {
      NATTER_GATEWAY_SERVICE_HOST: '10.0.0.1',
      NATTER_GATEWAY_SERVICE_PORT: '8000',
      NATTER_GATEWAY_SERVICE_PORT_HTTP: '8000',
      NATTER_GATEWAY_PORT: 'tcp://10.0.0.1:8000',
      NATTER_GATEWAY_PORT_8000_TCP: 'tcp://10.0.0.1:8000',
      NATTER_GATEWAY_PORT_8000_TCP_PROTO: 'tcp',
      NATTER_GATEWAY_PORT_8000_TCP_PORT: '8000',
      NATTER_GATEWAY_PORT_8000_TCP_ADDR: '10.0.0.1',
    };
    expect(unknownVariables(env)).toEqual([]);
  });
});

describe('kinds', () => {
  test.each([
    ['0', 0],
    ['10', 10],
    ['-1', null],
    ['11', null],
    ['1e1', null],
    ['0x5', null],
    ['5.0', null],
  ])('integer from 0 to 10 reads %s as %s', (text, value) => {
    const result = integer(3, 0, 10).safeParse(text);
    expect(result.success ? result.data : null).toBe(value);
  });

  test.each([
    ['true', true],
    ['ON', true],
    ['0', false],
    ['no', false],
    ['maybe', null],
  ])('flag reads %s as %s', (text, value) => {
    const result = flag(false).safeParse(text);
    expect(result.success ? result.data : null).toBe(value);
  });

  test('choice takes only its words', () => {
    expect(choice(['a', 'b'], 'a').parse('b')).toBe('b');
    expect(choice(['a', 'b'], 'a').safeParse('c').success).toBe(false);
  });

  test('list splits at commas and drops blanks', () => {
    expect(list([]).parse(' a, b ,,c')).toEqual(['a', 'b', 'c']);
    expect(list(['x']).parse(undefined)).toEqual(['x']);
  });

  test('httpUrl takes http and https only and drops trailing slashes', () => {
    expect(httpUrl().parse('https://a.example/v1//')).toBe('https://a.example/v1');
    expect(httpUrl().safeParse('ftp://a.example').success).toBe(false);
    expect(httpUrl().safeParse('localhost:80').success).toBe(false);
  });
});
