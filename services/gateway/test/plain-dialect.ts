/** A wire whose frames are JSON of what they mean. */
import type { Dialect, Manner } from '../src/session/dialect.ts';

const MANNER: Manner = {
  refusedToken: 'stays',
  tokenAtOpen: false,
  anonymous: false,
  watches: false,
  echo: false,
  heartbeat: false,
  sessionRate: false,
  originRefusal: 'http',
  offlineQueue: false,
  uploads: false,
};

export function plainDialect(manner: Partial<Manner> = {}): Dialect {
  return {
    name: 'plain',
    path: '/plain',
    closes: {},
    manner: { ...MANNER, ...manner },
    open: () => {
      throw new Error('tests make their openings themselves');
    },
    decode: (bytes) => {
      const decoded = JSON.parse(new TextDecoder().decode(bytes));
      // JSON has no bytes: a part is its text.
      if (decoded.command?.step === 'chunk') decoded.command.data = Buffer.from(decoded.command.data);
      return decoded;
    },
    encodeRefused: (code) => JSON.stringify({ refused: code }),
    encodeError: (code, { retryAfter, messageId, file, chunk, missing }) =>
      JSON.stringify({ error: code, retryAfter, messageId, file, chunk, missing }),
    encodeNotice: (notice) => JSON.stringify({ notice }),
    encodeEvent: (event, { run, room, session, cursor }) =>
      JSON.stringify({ event, run, room, session, cursor }),
    encodePlaceEvent: (said, { room, session, cursor, position, queued }) =>
      JSON.stringify({ said, room, session, cursor, position, queued }),
  };
}
