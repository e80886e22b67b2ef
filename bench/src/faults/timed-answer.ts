/** A question on chat-v1, and when each piece of its answer came. */
import { conversationKey } from '@natter/proto';
import { type ChatSocket, openChat } from '../load/chat-socket.ts';

interface AnswerFrame {
  type: string;
  partial_response?: string;
  response?: string;
}

/** Token frames of an answer that are remembered. */
const MAX_FRAMES = 10_000;

export class TimedAnswer {
  readonly conversation: string;
  /** What went wrong with the connection, or null. */
  failure: string | null = null;
  /** `complete` and `error` frames. */
  ends = 0;
  /** All of the answer so far. */
  text = '';
  readonly #frames: { atMs: number; chars: number }[] = [];
  #socket!: ChatSocket;

  static async ask(port: number, token: string, sub: string, question: string): Promise<TimedAnswer> {
    const answer = new TimedAnswer(sub);
    answer.#socket = await openChat({
      port,
      token,
      onFrame: (payload) => answer.#take(JSON.parse(payload.toString()) as AnswerFrame),
      onLost: (why) => {
        answer.failure ??= why;
      },
    });
    answer.#socket.ask(question, SESSION);
    return answer;
  }

  private constructor(sub: string) {
    this.conversation = conversationKey(sub, SESSION);
  }

  /** When the first frame came with more than `chars` characters, or the end; null while none has. */
  beyond(chars: number): number | null {
    return this.#frames.find((frame) => frame.chars > chars)?.atMs ?? null;
  }

  drop(): void {
    this.#socket.drop();
  }

  #take({ type, partial_response, response }: AnswerFrame): void {
    if (type === 'token') this.text = partial_response ?? '';
    else if (type === 'complete' || type === 'error') {
      this.ends += 1;
      this.text = response ?? this.text;
    } else return;
    const chars = type === 'token' ? this.text.length : Number.POSITIVE_INFINITY;
    if (this.#frames.length < MAX_FRAMES) this.#frames.push({ atMs: performance.now(), chars });
  }
}

const SESSION = 'takeover';
