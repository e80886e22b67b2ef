/** One answer on its way to one connection; merges tokens when the reader is slow. */
import { isRunEnd, type RunEvent } from '@natter/proto';
import type { Follower, Following } from '../bus/run-hub.ts';
import type { Dialect, RunText } from './dialect.ts';
import type { Socket } from './socket.ts';

export interface TurnStreamLimits {
  /** Above this many waiting bytes tokens are merged. */
  softBufferBytes: number;
}

export class TurnStream implements Follower {
  readonly dialect: Dialect;
  readonly session: string;
  readonly #send: (frame: string) => void;
  readonly #socket: Socket;
  readonly #limits: TurnStreamLimits;
  readonly #ended: () => void;
  #following: Following | null = null;
  #run: RunText | null = null;
  /** Length of the answer this connection has been sent, in UTF-16 code units. */
  #sent = 0;
  #behind = false;
  #done = false;

  /** `ended` is called after the last frame was sent, once. */
  constructor(
    dialect: Dialect,
    session: string,
    socket: Socket,
    send: (frame: string) => void,
    limits: TurnStreamLimits,
    ended: () => void,
  ) {
    this.dialect = dialect;
    this.session = session;
    this.#socket = socket;
    this.#send = send;
    this.#limits = limits;
    this.#ended = ended;
  }

  /** Must be called before the question is stored. */
  begin(following: Following): void {
    this.#following = following;
    // The whole answer may have been replayed before there was anything to stop.
    if (this.#done) following.stop();
  }

  /** Reads what happened before this connection followed. */
  repair(): void {
    this.#following?.repair();
  }

  deliver(event: RunEvent, frame: string | null, run: RunText): void {
    if (this.#done) return;
    this.#run = run;
    if (event.type === 'text.delta') {
      if (this.#behind || this.#socket.buffered() > this.#limits.softBufferBytes) {
        this.#behind = true;
        return;
      }
      this.#sent = event.at + event.text.length;
    }
    if (isRunEnd(event)) this.#finish(frame);
    else if (frame !== null) this.#send(frame);
  }

  /** Sends as one frame what was held back; called when the socket has drained. */
  catchUp(): void {
    if (!this.#behind || this.#done) return;
    if (this.#socket.buffered() > this.#limits.softBufferBytes / 2) return;
    this.#behind = false;
    this.#sendRest();
  }

  /** Ends the stream without a last frame: the connection is gone, or the question was refused. */
  abandon(): void {
    if (this.#done) return;
    this.#done = true;
    this.#following?.stop();
  }

  #finish(frame: string | null): void {
    if (this.#behind) this.#sendRest();
    this.#done = true;
    if (frame !== null) this.#send(frame);
    this.#following?.stop();
    this.#ended();
  }

  #sendRest(): void {
    const text = this.#run?.text.slice(this.#sent) ?? '';
    if (this.#run === null || text === '') return;
    const frame = this.dialect.encodeEvent({ type: 'text.delta', at: this.#sent, text }, this.#run);
    this.#sent += text.length;
    if (frame !== null) this.#send(frame);
  }
}
