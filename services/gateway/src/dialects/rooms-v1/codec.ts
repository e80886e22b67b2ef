/** rooms-v1: `/api/v1/ws/ws`, JSON text frames. Source: seeds/004; see README.md of this folder. */
import type { Dialect, Handshake } from '../../session/dialect.ts';
import { openingOf } from '../opening.ts';
import { decode } from './decode.ts';
import { errorFrame } from './error-frames.ts';
import { encodeNotice } from './notice-frames.ts';
import { encodePlaceEvent } from './place-frames.ts';
import { encodeEvent } from './run-frames.ts';

export const roomsV1: Dialect = {
  name: 'rooms-v1',
  path: '/api/v1/ws/ws',
  /** 4000 is the original's. Source: PROTOCOLS, rooms-v1. */
  closes: { internalError: { code: 4000, reason: 'Internal server error' } },

  manner: {
    refusedToken: 'invalidToken',
    tokenAtOpen: true,
    anonymous: false,
    watches: true,
    echo: false,
    heartbeat: true,
    sessionRate: false,
    originRefusal: 'http',
    offlineQueue: true,
    uploads: true,
  },

  open(handshake) {
    const token = tokenOf(handshake);
    return { ...openingOf(handshake), credential: token === '' ? null : { token, use: 'websocket' } };
  },

  decode,
  encodeRefused: errorFrame,
  encodeError: errorFrame,
  encodeNotice,
  encodeEvent,
  encodePlaceEvent,
};

/** The first of the three places that has one, as in the original. */
function tokenOf(handshake: Handshake): string {
  return (
    withoutBearer(handshake.query('token') ?? '') ||
    withoutBearer(handshake.header('authorization')) ||
    withoutBearer(cookie(handshake.header('cookie'), 'access_token'))
  );
}

function withoutBearer(token: string): string {
  return token.replace(/^\s*Bearer(?:\s+|$)/i, '').trim();
}

/** RFC 6265 section 5.4: pairs parted by `; `. Frameworks quote values that have a space in them. */
function cookie(header: string, name: string): string {
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) {
      return pair
        .slice(at + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1');
    }
  }
  return '';
}
