/** A socket that sends hostile frames to a gateway, as fast as the gateway reads them. */
import { isUtf8 } from 'node:buffer';
import { connect, type Socket } from 'node:net';
import { clientFrame, FrameReader, OPCODE } from '../load/frame-reader.ts';
import { upgradeRequest } from '../load/raw-socket.ts';
import type { Mutator } from './mutator.ts';
import type { Xorshift } from './xorshift.ts';

export interface SocketFuzzerOptions {
  port: number;
  /** Path and query of the upgrade. */
  path: string;
  mutator: Mutator;
  random: Xorshift;
  /** Takes some of the frames that are left to send; 0 when all were sent. */
  take(wanted: number): number;
}

/** Frames between two pings: the next are sent when the gateway has read these. */
const BATCH = 64;
/** One frame of so many has its header changed too: opcode, length, mask, reserved bits. */
const BAD_HEADER_OF = 250;
/** Without a word from the gateway for so long, the socket is replaced. */
const SILENCE_MS = 10_000;
/** The same where a changed length may have swallowed what follows, so that the gateway waits for the rest. */
const SPOILT_SILENCE_MS = 1_000;
const END_OF_HEAD = '\r\n\r\n';

export class SocketFuzzer {
  sent = 0;
  /** How connections ended, and how often: a close code, or `ended`. */
  readonly ends = new Map<string, number>();
  /** Frames from the gateway that are no UTF-8, and answers that didn't come. */
  readonly faults: string[] = [];
  readonly #options: SocketFuzzerOptions;
  /** Whether this connection was sent a header that was changed. */
  #isSpoilt = false;

  constructor(options: SocketFuzzerOptions) {
    this.#options = options;
  }

  /** Resolves when nothing is left to send and the last batch was read. */
  async run(): Promise<void> {
    while (await this.#connection());
  }

  /** One connection, to its end; false when all was sent. */
  #connection(): Promise<boolean> {
    const { port, path } = this.#options;
    return new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true });
      let isOver = false;
      const end = (how: string, again: boolean) => {
        if (isOver) return;
        isOver = true;
        clearTimeout(silence);
        this.ends.set(how, (this.ends.get(how) ?? 0) + 1);
        socket.destroy();
        resolve(again);
      };
      this.#isSpoilt = false;
      const silent = () => {
        if (!this.#isSpoilt) this.faults.push(`the gateway said nothing for ${SILENCE_MS} ms`);
        end(this.#isSpoilt ? 'waits for more' : 'silence', true);
      };
      let silence = setTimeout(silent, SILENCE_MS);
      const goOn = () => {
        if (!this.#batch(socket)) return end('done', false);
        clearTimeout(silence);
        silence = setTimeout(silent, this.#isSpoilt ? SPOILT_SILENCE_MS : SILENCE_MS);
      };
      const reader = new FrameReader((opcode, payload) => {
        if (opcode === OPCODE.pong) goOn();
        else if (opcode === OPCODE.close) end(closeCode(payload), true);
        else if (opcode === OPCODE.text && !isUtf8(payload)) this.faults.push('a text frame is no UTF-8');
      });
      let head: string | null = '';
      socket.on('data', (chunk) => {
        if (isOver) return;
        if (head === null) return reader.push(chunk);
        head += chunk.toString('latin1');
        const behind = head.indexOf(END_OF_HEAD);
        if (behind === -1) return;
        if (!head.startsWith('HTTP/1.1 101')) return end(head.slice(9, 12), true);
        const rest = Buffer.from(head.slice(behind + END_OF_HEAD.length), 'latin1');
        head = null;
        goOn();
        reader.push(rest);
      });
      socket.on('error', () => end('ended', true));
      socket.on('close', () => end('ended', true));
      socket.write(upgradeRequest({ port, path }));
    });
  }

  /** Frames, and a ping whose answer says that they were read. */
  #batch(socket: Socket): boolean {
    const count = this.#options.take(BATCH);
    if (count === 0) return false;
    const frames: Buffer[] = [];
    for (let frame = 0; frame < count; frame += 1) frames.push(this.#frame());
    this.sent += count;
    socket.write(Buffer.concat([...frames, clientFrame(OPCODE.ping, Buffer.from('read?'))]));
    return true;
  }

  #frame(): Buffer {
    const { mutator, random } = this.#options;
    const bytes = mutator.next();
    const frame = clientFrame(mutator.isBinary ? OPCODE.binary : OPCODE.text, Buffer.from(bytes));
    if (random.below(BAD_HEADER_OF) === 0) {
      frame[random.below(Math.min(10, frame.length))] = random.below(256);
      this.#isSpoilt = true;
    }
    return frame;
  }
}

function closeCode(payload: Buffer): string {
  return payload.length < 2 ? 'no code' : String(payload.readUInt16BE(0));
}
