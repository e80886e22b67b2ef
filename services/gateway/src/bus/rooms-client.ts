/** Asks the auth service who may be where. */
import { RoomsReply, type RoomsRequest, SUBJECTS } from '@natter/proto';
import { type Bus, whileUnavailable } from '@natter/runtime';

const decoder = new TextDecoder();

export class RoomsClient {
  readonly #bus: Pick<Bus, 'request'>;
  readonly #timeoutMs: number;

  constructor(bus: Pick<Bus, 'request'>, timeoutMs: number) {
    this.#bus = bus;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Throws BusError UNAVAILABLE when no auth service answers within the time limit.
   *
   * Asked again while the broker restarts. All requests but `create` are harmless to repeat; a
   * `create` whose answer was lost may be answered ROOM_EXISTS, as the room was made.
   */
  async ask(request: RoomsRequest): Promise<RoomsReply> {
    const data = JSON.stringify(request);
    const reply = await whileUnavailable(this.#timeoutMs, (remainingMs) =>
      this.#bus.request(SUBJECTS.authRooms, data, Math.max(50, remainingMs)),
    );
    return RoomsReply.parse(JSON.parse(decoder.decode(reply)));
  }
}
