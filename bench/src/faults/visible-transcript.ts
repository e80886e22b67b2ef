/** What one client was shown of a conversation, over all of its connections. */
import type { End, Seen } from './wires/fault-wire.ts';

export interface Told {
  /** Null where the wire doesn't tell. */
  run: string | null;
  text: string;
  /** Null while it is being written. */
  status: End | null;
}

export class VisibleTranscript {
  /** What others said, in the order in which it came. */
  readonly heard: { key: string; text: string }[] = [];
  /** Answers in the order in which they began. */
  readonly answers: Told[] = [];
  /** What can't have happened if nothing is missing and nothing came twice. */
  readonly faults: string[] = [];
  /** Answers that were told once more because their question had been sent again. */
  askedAgain = 0;
  readonly #keys = new Set<string>();
  /** An answer that is being told once more: its frames are passed over. */
  #repeated: Told | null = null;

  /** The answer under way, or null. */
  get underWay(): Told | null {
    const last = this.answers.at(-1);
    return last?.status === null ? last : null;
  }

  get ended(): Told[] {
    return this.answers.filter(({ status }) => status !== null);
  }

  /** Somebody's message; `isOwn`: of this very client, which others than it are shown. */
  hear({ key, text }: Extract<Seen, { kind: 'said' }>, isOwn: boolean): void {
    if (this.#keys.has(key)) return this.#fault(`said twice: ${key}`);
    this.#keys.add(key);
    if (!isOwn) this.heard.push({ key, text });
  }

  /** `mayRepeat`: a question of this client was sent again, and may be answered again. */
  grow({ run, text, soFar }: Extract<Seen, { kind: 'delta' }>, mayRepeat: boolean): void {
    const answer = this.#answer(run, mayRepeat);
    if (answer === this.#repeated) return;
    answer.text += text;
    if (soFar !== null && soFar !== answer.text)
      this.#fault(`all of an answer is ${quoted(soFar)}, its parts are ${quoted(answer.text)}`);
  }

  end({ run, status, text }: Extract<Seen, { kind: 'end' }>, mayRepeat: boolean): void {
    const answer = this.#answer(run, mayRepeat);
    if (answer === this.#repeated) {
      this.#repeated = null;
      this.askedAgain += 1;
      return;
    }
    if (text !== null && text !== answer.text)
      this.#fault(`the end says ${quoted(text)}, the parts are ${quoted(answer.text)}`);
    answer.status = status;
  }

  #answer(run: string | null, mayRepeat: boolean): Told {
    const known = run === null ? null : this.answers.findLast((one) => one.run === run);
    if (known?.status === null) return known;
    if (known != null) {
      if (!mayRepeat) this.#fault(`more after the end of ${run}`);
      this.#repeated = known;
      return known;
    }
    const last = this.underWay;
    if (last !== null && run === null) return last;
    if (last !== null) this.#fault(`an answer begins before the end of ${last.run}`);
    const answer: Told = { run, text: '', status: null };
    this.answers.push(answer);
    return answer;
  }

  #fault(what: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push(what);
  }
}

const MAX_FAULTS = 20;

function quoted(text: string): string {
  return JSON.stringify(text.slice(-80));
}
