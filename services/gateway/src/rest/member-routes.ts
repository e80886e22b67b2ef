/** Who is in a room, over HTTP: add, invite, kick, ban. */
import { isClientId, type RoomsRequest } from '@natter/proto';
import { z } from 'zod';
import { jsonBody } from './json-body.ts';
import { asker, askRooms, ROOM_PATH, type RoomsRouteDeps, roomRoute } from './room-route.ts';
import { type HttpReply, json, type Route } from './route.ts';
import type { SignedInRequest } from './signed-in.ts';

const UserId = z.string().refine(isClientId);
const NewMember = z.object({
  user_id: UserId,
  username: z.string().max(256).nullish(),
  invite: z.boolean().default(false),
});
const Banned = z.object({ user_id: UserId });

type Action = Extract<RoomsRequest, { user: string }>['op'];

const DONE = {
  add: 'added',
  invite: 'invited',
  kick: 'removed',
  ban: 'banned',
  unban: 'unbanned',
} as const satisfies Record<Action, string>;

export function memberRoutes(deps: RoomsRouteDeps): Route[] {
  const members = `${ROOM_PATH}/members`;
  const bans = `${ROOM_PATH}/bans`;
  return [
    roomRoute(deps, 'POST', members, async (request) => {
      const body = jsonBody(request.body, NewMember);
      if (!body.ok) return body.reply;
      const { user_id, username, invite } = body.value;
      return moderate(deps, request, invite ? 'invite' : 'add', user_id, username ?? null);
    }),
    roomRoute(deps, 'DELETE', `${members}/:user_id`, (request) => {
      const user = request.param('user_id');
      // Nobody needs a moderator to go.
      return user === request.principal.sub ? leave(deps, request) : moderate(deps, request, 'kick', user);
    }),
    roomRoute(deps, 'POST', bans, async (request) => {
      const body = jsonBody(request.body, Banned);
      return body.ok ? moderate(deps, request, 'ban', body.value.user_id) : body.reply;
    }),
    roomRoute(deps, 'DELETE', `${bans}/:user_id`, (request) =>
      moderate(deps, request, 'unban', request.param('user_id')),
    ),
  ];
}

async function moderate(
  deps: RoomsRouteDeps,
  request: SignedInRequest,
  op: Action,
  user: string,
  userName: string | null = null,
): Promise<HttpReply> {
  const id = request.param('room_id');
  const done = await askRooms(deps, request, { op, who: asker(request), id, user, userName });
  return done.ok ? json(200, { room_id: id, user_id: user, status: DONE[op] }) : done.reply;
}

async function leave(deps: RoomsRouteDeps, request: SignedInRequest): Promise<HttpReply> {
  const id = request.param('room_id');
  const who = asker(request);
  const left = await askRooms(deps, request, { op: 'leave', who, id });
  return left.ok ? json(200, { room_id: id, user_id: who.sub, status: 'left' }) : left.reply;
}
