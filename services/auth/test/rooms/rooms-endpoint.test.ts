import { RoomsReply, SUBJECTS } from '@natter/proto';
import { BusError } from '@natter/runtime';
import { expect, it } from 'vitest';
import { Rooms } from '../../src/rooms/rooms.ts';
import { roomsEndpoint } from '../../src/rooms/rooms-endpoint.ts';
import { LOG } from '../forge.ts';
import { asker } from './asker.ts';

const who = asker('alice');
const get = { op: 'get', who, id: 'r' };

function endpoint(failure: Error) {
  const counted: string[] = [];
  const { handle } = roomsEndpoint({
    rooms: new Rooms({ log: LOG }),
    stores: { open: () => Promise.reject(failure) },
    log: LOG,
    count: (op, result) => counted.push(`${op} ${result}`),
  });
  const ask = async (body: unknown) => {
    const data = body instanceof Uint8Array ? body : new TextEncoder().encode(JSON.stringify(body));
    const request = { subject: SUBJECTS.authRooms, data, header: () => undefined, respond: () => undefined };
    return RoomsReply.parse(JSON.parse(String(await handle(request))));
  };
  return { ask, counted };
}

it.each([
  ['no JSON', new TextEncoder().encode('{')],
  ['no UTF-8', new Uint8Array([0xff, 0xfe])],
  ['no operation', { who, id: 'r' }],
  ['an operation we do not know', { op: 'chown', who, id: 'r' }],
  ['nobody who asks', { op: 'get', id: 'r' }],
  ['an empty id', { op: 'get', who, id: '' }],
  ['an id of 129 bytes', { op: 'get', who, id: `${'ü'.repeat(64)}a` }],
  ['a lone surrogate as its id', { op: 'get', who, id: '\ud800' }],
  ['an id that is a number', { op: 'get', who, id: 7 }],
  ['a user that is none', { op: 'kick', who, id: 'r', user: '' }],
  ['257 keys', { op: 'access', who, keys: Array.from({ length: 257 }, () => '=a=b') }],
  ['a megabyte', { op: 'mine', who, pad: 'x'.repeat(1_000_000) }],
])('answers INVALID_FIELD to a request with %s', async (_what, body) => {
  const { ask, counted } = endpoint(new Error('nobody comes here'));
  expect(await ask(body)).toEqual({ ok: false, code: 'INVALID_FIELD' });
  expect(counted).toEqual(['unknown INVALID_FIELD']);
});

it.each([
  ['the broker is away', new BusError('UNAVAILABLE', 'away')],
  ['the broker refuses', new BusError('REFUSED', 'full')],
  ['a mistake of ours happens', new TypeError('oops')],
])('answers UNAVAILABLE when %s, and counts it', async (_what, failure) => {
  const { ask, counted } = endpoint(failure);
  expect(await ask(get)).toEqual({ ok: false, code: 'UNAVAILABLE' });
  expect(counted).toEqual(['get UNAVAILABLE']);
});
