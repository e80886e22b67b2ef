/** Rooms over HTTP: create, read, change, delete. Source: seeds/004, API Endpoints; PROTOCOLS, rooms-v1. */
import { AiMode, isClientId, RoomType } from '@natter/proto';
import { z } from 'zod';
import type { RoomsClient } from '../bus/rooms-client.ts';
import { jsonBody } from './json-body.ts';
import { memberRoutes } from './member-routes.ts';
import { messagesRoute } from './messages-route.ts';
import { roomBody } from './room-body.ts';
import { asker, askRooms, ROOM_PATH, ROOMS_PATH, type RoomsRouteDeps, roomRoute } from './room-route.ts';
import { errorReply, type HttpReply, json, type Route } from './route.ts';
import type { SignedInRequest } from './signed-in.ts';

const RoomName = z.string().max(256);

const NewRoom = z.object({
  room_id: z.string().refine(isClientId),
  room_name: RoomName.nullish(),
  room_type: RoomType.default('private'),
  ai: AiMode.nullish(),
});

const Change = z.object({ room_name: RoomName.min(1).optional(), ai: AiMode.optional() });

export function roomsRoutes(deps: RoomsRouteDeps): Route[] {
  return [
    roomRoute(deps, 'POST', ROOMS_PATH, (request) => create(deps, request)),
    roomRoute(deps, 'GET', ROOM_PATH, (request) => read(deps, request)),
    roomRoute(deps, 'PATCH', ROOM_PATH, (request) => update(deps, request)),
    roomRoute(deps, 'DELETE', ROOM_PATH, (request) => remove(deps, request)),
    ...memberRoutes(deps),
    messagesRoute(deps),
  ];
}

async function create(deps: RoomsRouteDeps, request: SignedInRequest): Promise<HttpReply> {
  const body = jsonBody(request.body, NewRoom);
  if (!body.ok) return body.reply;
  const { room_id: id, room_name, room_type: type, ai } = body.value;
  const who = asker(request);
  const name = room_name || null;
  const made = await askRooms(deps, request, { op: 'create', who, id, type, name, ai: ai ?? null });
  if (!made.ok) return made.reply;
  return roomReply(deps, request, 201, made);
}

async function read(deps: RoomsRouteDeps, request: SignedInRequest): Promise<HttpReply> {
  const found = await askRooms(deps, request, {
    op: 'get',
    who: asker(request),
    id: request.param('room_id'),
  });
  return found.ok ? roomReply(deps, request, 200, found) : found.reply;
}

async function update(deps: RoomsRouteDeps, request: SignedInRequest): Promise<HttpReply> {
  const body = jsonBody(request.body, Change);
  if (!body.ok) return body.reply;
  const { room_name: name, ai } = body.value;
  const changed = await askRooms(deps, request, {
    op: 'update',
    who: asker(request),
    id: request.param('room_id'),
    ...(name === undefined ? {} : { name }),
    ...(ai === undefined ? {} : { ai }),
  });
  // The members are only told to who reads the room.
  return changed.ok ? read(deps, request) : changed.reply;
}

async function remove(deps: RoomsRouteDeps, request: SignedInRequest): Promise<HttpReply> {
  const id = request.param('room_id');
  const gone = await askRooms(deps, request, { op: 'delete', who: asker(request), id });
  return gone.ok ? json(200, { room_id: id, status: 'deleted' }) : gone.reply;
}

async function roomReply(
  deps: RoomsRouteDeps,
  request: SignedInRequest,
  status: number,
  { rooms: [view], members }: Extract<Awaited<ReturnType<RoomsClient['ask']>>, { ok: true }>,
): Promise<HttpReply> {
  if (view === undefined) return errorReply('ROOM_DENIED', { correlationId: request.trace.traceId });
  const { key } = view.room;
  const [now, lastActivity] = await Promise.all([
    deps.presence.whoAnywhere(key),
    deps.transcripts.lastActivity(key),
  ]);
  return json(status, roomBody(view, members, now, lastActivity));
}
