/** Somebody who only wants answers, while others send garbage to the same gateway. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChatSocket, openChat } from '../load/chat-socket.ts';

/** An answer that takes longer did not come. */
const ANSWER_MS = 15_000;
const PAUSE_MS = 50;
const QUESTION = 'What is the engine power?';

export class ControlClient {
  answered = 0;
  /** Questions without an answer, and the end of the connection. */
  readonly faults: string[] = [];
  slowestMs = 0;
  #socket!: ChatSocket;
  #stopped = false;
  #onEnd: ((frame: string) => void) | null = null;
  #asking: Promise<void> = Promise.resolve();

  static async begin(port: number, token: string): Promise<ControlClient> {
    const client = new ControlClient();
    client.#socket = await openChat({
      port,
      token,
      onFrame: (payload) => {
        const frame = payload.toString();
        if (/^\{"type":"(?:complete|error)"/.test(frame)) client.#onEnd?.(frame);
      },
      onLost: (why) => client.faults.push(`the connection was lost: ${why}`),
    });
    client.#asking = client.#ask();
    return client;
  }

  /** Waits for the last answer. */
  async end(): Promise<void> {
    this.#stopped = true;
    await this.#asking;
    this.#socket.drop();
  }

  async #ask(): Promise<void> {
    for (let question = 0; !this.#stopped && this.faults.length === 0; question += 1) {
      const before = performance.now();
      const answer = await this.#answerTo(`question-${question}`);
      if (answer === null) this.faults.push(`question ${question} was not answered in ${ANSWER_MS} ms`);
      else if (answer.startsWith('{"type":"error"')) this.faults.push(answer.slice(0, 300));
      else this.answered += 1;
      this.slowestMs = Math.max(this.slowestMs, performance.now() - before);
      await sleep(PAUSE_MS);
    }
  }

  #answerTo(session: string): Promise<string | null> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(null), ANSWER_MS);
      this.#onEnd = (frame) => {
        clearTimeout(timer);
        resolve(frame);
      };
      this.#socket.ask(QUESTION, session);
    });
  }
}
