/** What the routes of rooms share: whose they are, and how the auth service is asked. */
import { isClientId, type RoomsRequest } from '@natter/proto';
import type { RoomsClient } from '../bus/rooms-client.ts';
import type { TranscriptPages } from '../bus/transcript-pages.ts';
import type { Presence } from '../cluster/presence.ts';
import { errorReply, type HttpReply, type Method, type Route } from './route.ts';
import { isAdmin, type SignedInRequest, type SignInDeps, signedIn } from './signed-in.ts';

export interface RoomsRouteDeps extends SignInDeps {
  rooms: Pick<RoomsClient, 'ask'>;
  transcripts: Pick<TranscriptPages, 'page' | 'lastActivity'>;
  presence: Pick<Presence, 'whoAnywhere'>;
}

export const ROOMS_PATH = '/api/v1/ws/rooms';
export const ROOM_PATH = `${ROOMS_PATH}/:room_id`;

/** A route for whoever shows an access or a websocket token; the ids in its path are good ones. */
export function roomRoute(
  deps: SignInDeps,
  method: Method,
  path: string,
  handle: (request: SignedInRequest) => Promise<HttpReply>,
): Route {
  const ids = [...path.matchAll(/:([a-z_]+)/g)].map(([, name]) => name ?? '');
  return {
    method,
    path,
    maxBodyBytes: method === 'POST' || method === 'PATCH' ? 4_096 : 0,
    handle: signedIn(deps, 'websocket', (request) =>
      ids.every((name) => isClientId(request.param(name))) ? handle(request) : errorReply('INVALID_FIELD'),
    ),
  };
}

/** Who asks, and about which room, as the auth service wants to know it. */
export function asker({ principal }: SignedInRequest): RoomsRequest['who'] {
  return { sub: principal.sub, name: principal.name, admin: isAdmin(principal) };
}

/** Asks the auth service; `reply` is what a refusal is answered with. */
export async function askRooms(deps: RoomsRouteDeps, request: SignedInRequest, question: RoomsRequest) {
  const answer = await deps.rooms.ask(question);
  if (answer.ok) return answer;
  const reply = errorReply(answer.code, { correlationId: request.trace.traceId });
  return { ok: false, code: answer.code, reply } as const;
}
