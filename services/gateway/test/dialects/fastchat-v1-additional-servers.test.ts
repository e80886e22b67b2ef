import { TurnOptions } from '@natter/proto';
import { describe, expect, it } from 'vitest';
import {
  additionalServers,
  parseAdditionalServers,
} from '../../src/dialects/fastchat-v1/additional-servers.ts';

const URL_OK = 'https://api.example.com/mcp';
const entry = (more: object = {}) => ({ protocol: 'httpstream', 'httpstream-url': URL_OK, ...more });
const reasonOf = (value: unknown) => additionalServers({ it: value }).refusedServers?.[0]?.reason;

describe('additional servers', () => {
  it.each(['', 'None', 'null', '{', "{'a': }", '7', '"text"', '[]', '{}', 'x'.repeat(70_000)])(
    '[fastchat/servers-forms] are none where the header says %s',
    (text) => {
      expect(parseAdditionalServers(text)).toEqual({});
    },
  );

  it('[fastchat/servers-forms] are read from JSON, from the repr of a dict, and with quotes around it all', () => {
    const server = { name: 'a', protocol: 'httpstream', url: URL_OK, description: 'it\'s "mine"' };
    const json = JSON.stringify({ a: entry({ description: server.description }) });
    const repr = `{'a': {'protocol': 'httpstream', 'httpstream-url': '${URL_OK}', 'description': 'it\\'s "mine"', 'headers': None}}`;
    const escaped = json.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
    for (const text of [json, repr, `'${escaped}'`, `'${json}'`]) {
      expect(parseAdditionalServers(text)).toEqual({ toolServers: [server] });
    }
  });

  it('come as an object by name, whose entries may have a better one, or as a list', () => {
    const names = (value: unknown) => additionalServers(value).toolServers?.map(({ name }) => name);
    expect(names({ a: entry(), b: entry({ name: 'better' }) })).toEqual(['a', 'better']);
    expect(names([entry(), entry({ name: 'second' })])).toEqual(['#1', 'second']);
    expect(names({ '': entry() })).toEqual(['#1']);
  });

  it('hand on headers, and auth as JSON where it is an object', () => {
    const headers = { Authorization: 'Bearer t' };
    const { toolServers } = additionalServers({ a: entry({ headers, auth: { required: true } }) });
    expect(toolServers?.[0]).toMatchObject({ headers, auth: '{"required":true}' });
  });

  it.each([
    ['stdio', { protocol: 'stdio', config: { command: 'sh' } }, 'stdio is not accepted from clients'],
    ['stdio with a URL', entry({ protocol: 'stdio' }), 'stdio is not accepted from clients'],
    ['another protocol', entry({ protocol: 'sse' }), 'protocol is not httpstream'],
    ['no URL', { protocol: 'httpstream' }, 'httpstream-url is no URL'],
    ['a URL that is a number', entry({ 'httpstream-url': 7 }), "httpstream-url can't be used"],
    ['text', 'https://api.example.com', 'no object'],
    ['null', null, 'no object'],
    ['a header that begins another one', entry({ headers: { a: 'b\r\nHost: c' } }), "headers can't be used"],
    ['a header name with a space', entry({ headers: { 'a b': 'c' } }), "headers can't be used"],
    ['a name of 65 characters', entry({ name: 'x'.repeat(65) }), 'name is too long'],
    ['a description that is too long', entry({ description: 'x'.repeat(1_001) }), 'description is too long'],
  ])('leave out an entry that is %s and say why', (_name, value, reason) => {
    expect(reasonOf(value)).toBe(reason);
    expect(additionalServers({ it: value }).toolServers).toBeUndefined();
  });

  it.each([
    'http://127.0.0.1/mcp',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://\uff11\uff12\uff17.0.0.1/',
    'http://0/',
    'http://10.0.0.1/',
    'http://172.31.255.255/',
    'http://192.168.1.1/',
    'http://100.100.100.200/',
    'http://169.254.169.254/latest/meta-data',
    'http://168.63.129.16/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://[::1]/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:8.8.8.8]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/',
    'http://localhost:8080/',
    'http://LOCALHOST./',
    'http://a.localhost/',
    'http://metadata.google.internal/',
    'http://printer.local/',
  ])('never go to %s', (url) => {
    expect(reasonOf(entry({ 'httpstream-url': url }))).toBe('the address is not a public one');
  });

  it.each([
    ['file:///etc/passwd', 'httpstream-url is not http or https'],
    ['ws://api.example.com/', 'httpstream-url is not http or https'],
    ['https://user:secret@api.example.com/', 'httpstream-url holds a user or password'],
    ['api.example.com', 'httpstream-url is no URL'],
    [`https://api.example.com/${'x'.repeat(2_048)}`, 'httpstream-url is no URL'],
  ])('never go to %s either', (url, reason) => {
    expect(reasonOf(entry({ 'httpstream-url': url }))).toBe(reason);
  });

  it.each(['http://8.8.8.8/', 'https://[2606:4700::1111]:8443/mcp', 'https://localhost.example.com/'])(
    'may go to %s',
    (url) => {
      expect(additionalServers([entry({ 'httpstream-url': url })]).toolServers?.[0]?.url).toBe(url);
    },
  );

  it('are 16 at most, with different names; who is left out is told, at last by number', () => {
    const many = Array.from({ length: 100 }, (_, index) => entry({ name: `s${index}` }));
    const { toolServers, refusedServers } = additionalServers(many);
    expect(toolServers).toHaveLength(16);
    expect(refusedServers).toHaveLength(16);
    expect(refusedServers?.[0]).toEqual({ name: 's16', reason: 'more than 16 servers' });
    expect(refusedServers?.[15]).toEqual({ name: '69 more', reason: 'too many entries' });
    expect(additionalServers([entry({ name: 'a' }), entry({ name: 'a' })]).refusedServers).toEqual([
      { name: 'a', reason: 'the name is used twice' },
    ]);
  });

  it('fit the schema of a turn, whatever they were', () => {
    const hostile = {
      __proto__: entry(),
      ['\u{1f527}'.repeat(40)]: 1,
      [`${'x'.repeat(63)}\u{1f527}`]: {},
      '': entry({ protocol: 'sse' }),
      '\ud83d': entry(),
    };
    for (const value of [hostile, Object.entries(hostile), parseAdditionalServers('{"__proto__":{"a":1}}')]) {
      const options = additionalServers(value);
      expect(TurnOptions.parse(options)).toEqual(options);
      expect(JSON.stringify(options)).not.toMatch(/\\ud83d"/);
    }
  });
});
