/** Sockets that send one frame again and again at a fixed rate, and time each answer. */
import { monotonicMicros } from '../measure/clock.ts';
import { clientFrame, OPCODE } from './frame-reader.ts';
import { inFlight } from './in-flight.ts';
import { RawSocket } from './raw-socket.ts';

export interface EchoSocketsOptions {
  port: number;
  path: string;
  count: number;
  /** What is sent. */
  frame: string;
  /** How each answer to it begins; any other text frame is a failure. */
  answer: string;
}

export interface Echoes {
  /** From sending to the answer, each in µs. */
  micros: Float64Array;
  /** From the intended time to sending, each in µs: the load's own lateness. */
  lateMicros: Float64Array;
}

interface Lane {
  socket: RawSocket;
  /** Samples whose answers have not come; answers of one socket come in order. */
  open: number[];
}

const DONE_MS = 20_000;

export class EchoSockets {
  readonly #lanes: Lane[] = [];
  readonly #frame: Buffer;
  #micros = new Float64Array(0);
  #sentAt = new Float64Array(0);
  #answered = 0;
  #failure: Error | null = null;
  #wake: () => void = () => undefined;

  static async open(options: EchoSocketsOptions): Promise<EchoSockets> {
    const sockets = new EchoSockets(options.frame);
    await inFlight(options.count, options.count, () => sockets.#open(options));
    return sockets;
  }

  private constructor(frame: string) {
    this.#frame = clientFrame(OPCODE.text, Buffer.from(frame));
  }

  /** Sends `count` at `rate` a second, whether earlier ones were answered or not. */
  async echo(count: number, rate: number): Promise<Echoes> {
    this.#micros = new Float64Array(count);
    this.#sentAt = new Float64Array(count);
    this.#answered = 0;
    const lateMicros = new Float64Array(count);
    const begin = monotonicMicros();
    const deadline = begin + DONE_MS * 1_000;
    for (let next = 0; this.#answered < count; ) {
      if (this.#failure !== null) throw this.#failure;
      const now = monotonicMicros();
      if (now > deadline) throw new Error(`${this.#answered} of ${count} echoes came in ${DONE_MS} ms`);
      while (next < count && begin + (next * 1e6) / rate <= now) {
        lateMicros[next] = monotonicMicros() - begin - (next * 1e6) / rate;
        this.#send(next++);
      }
      await this.#moment(next < count);
    }
    return { micros: this.#micros, lateMicros };
  }

  drop(): void {
    for (const { socket } of this.#lanes) socket.drop();
  }

  #send(sample: number): void {
    const lane = this.#lanes[sample % this.#lanes.length] as Lane;
    lane.open.push(sample);
    this.#sentAt[sample] = monotonicMicros();
    lane.socket.sendFrame(this.#frame);
  }

  /** While there is something to send, until the next tick; then until an answer comes. */
  #moment(sending: boolean): Promise<void> {
    return new Promise((resolve) => {
      if (sending) return void setTimeout(resolve, 1);
      const timer = setTimeout(resolve, 100);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #open({ port, path, answer }: EchoSocketsOptions): Promise<void> {
    const expected = Buffer.from(answer);
    return new Promise((resolve, reject) => {
      const lane: Lane = {
        open: [],
        socket: new RawSocket({
          port,
          path,
          onOpen: () => {
            this.#lanes.push(lane);
            resolve();
          },
          onText: (payload) => {
            const sample = lane.open.shift();
            if (sample === undefined || !payload.subarray(0, expected.length).equals(expected))
              this.#fail(`an answer that was not expected: ${payload.subarray(0, 300)}`);
            else this.#take(sample);
          },
          onLost: (why) => {
            this.#fail(`an echo connection failed: ${why}`);
            reject(this.#failure);
          },
        }),
      };
    });
  }

  #take(sample: number): void {
    this.#micros[sample] = monotonicMicros() - (this.#sentAt[sample] as number);
    this.#answered += 1;
    this.#wake();
  }

  #fail(why: string): void {
    this.#failure ??= new Error(why);
    this.#wake();
  }
}
