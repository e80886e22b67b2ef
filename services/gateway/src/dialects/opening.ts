/** The query parameters that Natter adds to every wire. Reference: docs/reference/common.md. */
import { isClientId, RoomType } from '@natter/proto';
import type { Handshake, OnBusy, Opening } from '../session/dialect.ts';

/** Cursors one request may resume from: each asks auth and the broker, and connecting is cheap. */
const MAX_CURSORS = 16;
/** Made once: a schema costs more to make than all of an upgrade request to read. */
const OptionalRoomType = RoomType.nullable();
/** Of the many that ask for nothing more; never written to. */
const NO_OPTIONS: Opening['options'] = {};
const NO_CURSORS: string[] = [];
const ON_BUSY: readonly string[] = ['queue', 'reject', 'interrupt'] satisfies OnBusy[];

/** Reads them; a dialect adds what is its own. `problem` is INVALID_FIELD when one can't be used. */
export function openingOf(handshake: Handshake): Opening {
  const roomId = handshake.query('room_id') || null;
  const roomName = handshake.query('room_name') || null;
  const roomType = OptionalRoomType.safeParse(handshake.query('room_type') || null);
  const onBusy = handshake.query('on_busy') || 'queue';
  const resume = handshake.queries('resume').flatMap((value) => value.split(',').filter(Boolean));
  const usable =
    (roomId === null || isClientId(roomId)) &&
    (roomName === null || roomName.length <= 256) &&
    roomType.success &&
    ON_BUSY.includes(onBusy) &&
    resume.length <= MAX_CURSORS;
  return {
    credential: null,
    session: null,
    room: usable && roomId !== null ? { id: roomId, type: roomType.data ?? null, name: roomName } : null,
    watch: isOn(handshake.query('watch')),
    options: NO_OPTIONS,
    cursors: isOn(handshake.query('seq')),
    resume: usable && resume.length > 0 ? resume : NO_CURSORS,
    onBusy: usable ? (onBusy as OnBusy) : 'queue',
    problem: usable ? null : 'INVALID_FIELD',
  };
}

function isOn(value: string | undefined): boolean {
  return value === '1' || value === 'true';
}
