/** One answer on its way to one connection; merges tokens when the reader is slow. */
import { isRunEnd, type RunEvent } from '@natter/proto';
import type { Follower, Following } from '../bus/conversation-hub.ts';
import type { Dialect, Frames, Place, RunText } from './dialect.ts';
import type { Socket } from './socket.ts';

export interface TurnStreamOptions {
  /** Key of the conversation. */
  key: string;
  dialect: Dialect;
  place: Place;
  socket: Pick<Socket, 'buffered'>;
  send(frames: Frames): void;
  /** Above this many waiting bytes tokens are merged. */
  softBufferBytes: number;
  /** Called after the last frame was sent, once. */
  ended(): void;
}

export class TurnStream implements Follower {
  readonly #options: TurnStreamOptions;
  #following: Following | null = null;
  #run: RunText | null = null;
  /** Length of the answer this connection has been sent, in UTF-16 code units. */
  #sent = 0;
  #behind = false;
  #done = false;

  constructor(options: TurnStreamOptions) {
    this.#options = options;
  }

  get key(): string {
    return this.#options.key;
  }

  get dialect(): Dialect {
    return this.#options.dialect;
  }

  get place(): Place {
    return this.#options.place;
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

  deliver(event: RunEvent, frames: Frames, run: RunText): void {
    if (this.#done) return;
    this.#run = run;
    if (event.type === 'text.delta') {
      if (this.#behind || this.#options.socket.buffered() > this.#options.softBufferBytes) {
        this.#behind = true;
        return;
      }
      this.#sent = event.at + event.text.length;
    }
    if (isRunEnd(event)) this.#finish(frames);
    else this.#options.send(frames);
  }

  /** Sends as one frame what was held back; called when the socket has drained. */
  catchUp(): void {
    if (!this.#behind || this.#done) return;
    if (this.#options.socket.buffered() > this.#options.softBufferBytes / 2) return;
    this.#behind = false;
    this.#sendRest();
  }

  /** Ends the stream without a last frame: the connection is gone, or the question was refused. */
  abandon(): void {
    if (this.#done) return;
    this.#done = true;
    this.#following?.stop();
  }

  #finish(frames: Frames): void {
    if (this.#behind) this.#sendRest();
    this.#done = true;
    this.#options.send(frames);
    this.#following?.stop();
    this.#options.ended();
  }

  #sendRest(): void {
    const text = this.#run?.text.slice(this.#sent) ?? '';
    if (this.#run === null || text === '') return;
    const frames = this.dialect.encodeEvent({ type: 'text.delta', at: this.#sent, text }, this.#run);
    this.#sent += text.length;
    this.#options.send(frames);
  }
}
