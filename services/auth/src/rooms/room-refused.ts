/** A request about a room that is answered with an error code; nothing went wrong on our side. */
import type { ROOM_ERRORS } from '@natter/proto';

export class RoomRefused extends Error {
  readonly code: (typeof ROOM_ERRORS)[number];
  constructor(code: (typeof ROOM_ERRORS)[number]) {
    super(code);
    this.name = 'RoomRefused';
    this.code = code;
  }
}
