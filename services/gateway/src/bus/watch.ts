/** One connection that sees everything that happens in one conversation. */
import type { TranscriptMessage } from '@natter/proto';
import type { Dialect, Frames, Place } from '../session/dialect.ts';
import type { Socket } from '../session/socket.ts';
import type { Position } from './cursor.ts';

export interface WatchOptions {
  /** Id of the connection. */
  readonly connection: string;
  readonly dialect: Dialect;
  /** Whether its frames carry cursors. */
  readonly cursors: boolean;
  readonly place: Place;
  readonly socket: Pick<Socket, 'join' | 'leave' | 'together' | 'buffered'>;
  /** Sends frames to this connection alone. */
  send(frames: Frames): void;
  /** Awaited before it is sent anything; called when the conversation is subscribed to. */
  ready(): Promise<void>;
  /** What it has been sent already; null: it wants what comes, and the answer under way. */
  readonly since: Position | null;
  /** Whether what it missed is marked as queued. */
  readonly queued: boolean;
  /** Whether it is sent what is being answered, besides what was said; default true. */
  readonly underWay?: boolean;
  /** Called when some of what was queued is left out, the oldest of it. */
  cut(dropped: number): void;
  /** It can't be brought up to date: the connection should end, so that its client comes back. */
  failed(): void;
  /** Records it may have missed: of what was queued the oldest are left out, else all are lost. */
  readonly missedLimit: number;
  /** Called before it is sent what it missed; not recovered: what was said last follows instead. */
  begin(recovered: boolean): void;
  /** Called when it isn't recovered; oldest first. `position` is where they end. */
  transcript(messages: TranscriptMessage[], position: Position): void;
}

export class Watch {
  readonly options: WatchOptions;
  /** Whether it is sent what everybody is: not while it catches up, nor once it has stopped. */
  live = false;
  stopped = false;
  /** Whether `begin` was called. */
  begun = false;
  /** Whether it is being sent what it missed. */
  catchingUp = false;
  /** Up to where it was sent everything, when it fell behind. */
  behindAt: Position | null = null;

  constructor(options: WatchOptions) {
    this.options = options;
  }

  get socket(): WatchOptions['socket'] {
    return this.options.socket;
  }
}
