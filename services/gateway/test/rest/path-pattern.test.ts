import { describe, expect, it } from 'vitest';
import { matchesPath, methodsOf, paramsOf } from '../../src/rest/path-pattern.ts';
import type { Method, Route } from '../../src/rest/route.ts';

const route = (method: Method, path: string): Route => ({
  method,
  path,
  maxBodyBytes: 0,
  handle: () => ({ status: 200, headers: {}, body: '' }),
});

describe('path patterns', () => {
  it('match a segment of any text but the empty one', () => {
    expect(matchesPath('/rooms/:id', '/rooms/a%2Fb')).toBe(true);
    expect(matchesPath('/rooms/:id', '/rooms/')).toBe(false);
    expect(matchesPath('/rooms/:id', '/rooms')).toBe(false);
    expect(matchesPath('/rooms/:id', '/rooms/a/b')).toBe(false);
    expect(matchesPath('/rooms/:id/bans', '/rooms/a/members')).toBe(false);
  });

  it('give decoded parameters by name', () => {
    const params = paramsOf('/rooms/:room_id/members/:user_id', '/rooms/%3E/members/__proto__');
    expect([params?.get('room_id'), params?.get('user_id')]).toEqual(['>', '__proto__']);
  });

  it.each(['%', '%zz', '%ff', '%ed%a0%80'])('give none for the malformed escape %s', (escaped) => {
    expect(paramsOf('/rooms/:id', `/rooms/${escaped}`)).toBeNull();
  });

  it('tell all methods of a path', () => {
    const routes = [route('GET', '/rooms/:id'), route('DELETE', '/rooms/:id'), route('POST', '/rooms')];
    expect(methodsOf(routes, '/rooms/x')).toEqual(['GET', 'HEAD', 'DELETE']);
    expect(methodsOf(routes, '/rooms')).toEqual(['POST']);
    expect(methodsOf(routes, '/elsewhere')).toEqual([]);
  });

  it('tell HEAD once, and OPTIONS where there is a route for it', () => {
    const routes = (['HEAD', 'GET', 'OPTIONS'] as const).map((method) => route(method, '/files/:id'));
    expect(methodsOf(routes, '/files/x')).toEqual(['HEAD', 'GET', 'OPTIONS']);
  });
});
