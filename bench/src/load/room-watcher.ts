/** A person on rooms-v1 who asks for cursors, keeps the answer, and resumes when cut off. */
import { JOINED_MARK, resumePath, roomPath } from './bench-room.ts';
import { RawSocket } from './raw-socket.ts';

export interface RoomWatcherOptions {
  port: number;
  token: string;
  roomId: string;
  /** Address of the person. */
  from: string;
}

/** What the gateway says when it has gone on from a cursor. */
const RESUMED_MARK = Buffer.from('"type":"resumed"');
const UNRECOVERED = Buffer.from('"recovered":false');
const CURSOR = Buffer.from('"cursor":"');
const QUOTE = '"'.charCodeAt(0);
/** Beginnings tell most frames apart without reading them. */
const CHAT = Buffer.from('{"type":"chat"');
const ERROR = Buffer.from('{"type":"error"');
/** What stands around new text; stamps need no escapes. */
const TOKEN = Buffer.from('{"type":"chat","data":{"role":"assistant","content":"');
const STREAMING = Buffer.from('","streaming":true');
const IN_MS = 30_000;

interface ChatFrame {
  data: { role?: string; content?: string; streaming?: boolean; done?: boolean };
}

export class RoomWatcher {
  /** The answer so far; `ask` or `forget` empties it. */
  text = '';
  /** Whether the answer's last frame has come, and how often. */
  ends = 0;
  /** Whether everything said since the cursor was still there; null before the first resume. */
  recovered: boolean | null = null;
  readonly #options: RoomWatcherOptions;
  #socket: RawSocket | null = null;
  #cursor: string | null = null;
  #failure: string | null = null;
  #cutOff = false;
  #onFrame: ((frame: Buffer) => void) | null = null;

  constructor(options: RoomWatcherOptions) {
    this.#options = options;
  }

  /** Why this person's answer can't be whole, or null. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Connects and joins. */
  join(): Promise<void> {
    const { token, roomId } = this.#options;
    return this.#open(roomPath(token, roomId, '&seq=1'), Buffer.from(JOINED_MARK));
  }

  /** Connects and goes on from the last cursor; resolves when the gateway says so. */
  async resume(): Promise<void> {
    if (this.#cursor === null) throw new Error('no frame had a cursor');
    const path = resumePath(this.#options.token, this.#cursor);
    await this.#open(path, RESUMED_MARK, (frame) => {
      this.recovered = !frame.includes(UNRECOVERED);
    });
  }

  /** From now on the end of the connection is expected. */
  expectLoss(): void {
    this.#cutOff = true;
  }

  forget(): void {
    this.text = '';
    this.ends = 0;
  }

  ask(question: string, messageId: string): void {
    const frame = { type: 'chat', data: { message: question }, room_id: this.#options.roomId };
    this.#socket?.send(JSON.stringify({ ...frame, message_id: messageId }));
  }

  drop(): void {
    this.#socket?.drop();
  }

  #open(path: string, mark: Buffer, onMark?: (frame: Buffer) => void): Promise<void> {
    const { port, from } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => settle(() => reject(new Error(`no ${mark.toString()} for ${IN_MS} ms`))),
        IN_MS,
      );
      const settle = (done: () => void) => {
        clearTimeout(timer);
        this.#onFrame = null;
        done();
      };
      this.#cutOff = false;
      this.#onFrame = (frame) => {
        if (!frame.includes(mark)) return;
        onMark?.(frame);
        settle(resolve);
      };
      this.#socket = new RawSocket({
        port,
        path,
        from,
        onText: (payload) => this.#take(payload),
        onLost: (why) => {
          if (this.#cutOff) return;
          this.#failure ??= `lost: ${why}`;
          settle(() => reject(new Error(`a watcher was lost: ${why}`)));
        },
      });
    });
  }

  #take(payload: Buffer): void {
    this.#onFrame?.(payload);
    const at = payload.lastIndexOf(CURSOR);
    if (at >= 0) {
      const from = at + CURSOR.length;
      this.#cursor = payload.toString('latin1', from, payload.indexOf(QUOTE, from));
    }
    if (begins(payload, TOKEN)) {
      const end = payload.indexOf(QUOTE, TOKEN.length);
      if (payload.compare(STREAMING, 0, STREAMING.length, end, end + STREAMING.length) === 0) {
        this.text += payload.toString('latin1', TOKEN.length, end);
        return;
      }
    }
    if (begins(payload, ERROR)) this.#failure ??= payload.subarray(0, 300).toString();
    if (begins(payload, CHAT)) this.#read(JSON.parse(payload.toString()) as ChatFrame);
  }

  #read({ data }: ChatFrame): void {
    if (data.role !== 'assistant') return;
    if (data.done === true) this.ends += 1;
    else if (data.streaming === true) this.text += data.content ?? '';
  }
}

function begins(payload: Buffer, prefix: Buffer): boolean {
  return payload.length >= prefix.length && payload.compare(prefix, 0, prefix.length, 0, prefix.length) === 0;
}
