/** What one gateway knows of one run: applies batches, drops repeats, notices gaps. */
import { isRunEnd, type RunBatch, type RunEnd, type RunEvent, type RunStep } from '@natter/proto';

export type RunStarted = Extract<RunEvent, { type: 'run.started' }>;

/** Events besides text that are kept for readers who come later. */
const MARKS_LIMIT = 256;

export class RunView {
  text = '';
  textJson = '';
  asked: RunStarted | null = null;
  end: RunEnd | null = null;
  /** Text has come that doesn't join what is known: something before it is missing. */
  torn = false;
  readonly #steps: RunStep[] = [];
  /** Everything but text and the end, in order. */
  readonly #marks: RunEvent[] = [];
  #n = 0;
  #claim = 0;

  get marks(): number {
    return this.#marks.length;
  }

  /** Whether something is missing between what is known and this batch. */
  isGapBefore(batch: RunBatch): boolean {
    return this.end === null && batch.n > this.#n + 1;
  }

  /**
   * Takes a batch and calls `emit` for each event that is new, after it became part of the view.
   *
   * Safe against repeats and older batches that come late: text is judged by its offset, steps by
   * their name, the rest by the number of the batch. Text that doesn't join what is known is left
   * out; a repair or the end of the run brings it.
   */
  apply(batch: RunBatch, emit: (event: RunEvent) => void): void {
    const isNew = batch.claim > this.#claim || batch.n > this.#n;
    this.#claim = Math.max(batch.claim, this.#claim);
    this.#n = Math.max(batch.n, this.#n);
    for (const event of batch.events) this.#take(event, isNew, emit);
  }

  /** Ends the run by what the transcript says, when the last event itself was lost. */
  finish(end: RunEnd, emit: (event: RunEvent) => void): void {
    this.#take(end, true, emit);
  }

  /** The events a reader needs who has seen `at` code units of text and `marks` other events. */
  replay(emit: (event: RunEvent) => void, { at, marks } = { at: 0, marks: 0 }): void {
    for (const event of this.#marks.slice(marks)) emit(event);
    if (this.text.length > at) emit({ type: 'text.delta', at, text: this.text.slice(at) });
    if (this.end !== null) emit(this.end);
  }

  #take(event: RunEvent, isNew: boolean, emit: (event: RunEvent) => void): void {
    if (this.end !== null) return;
    if (event.type === 'text.delta') {
      this.#append(event.at, event.text, emit);
    } else if (isRunEnd(event)) {
      // A reader's tokens must add up to the answer, also when the last of them were lost.
      if (event.type !== 'run.failed' && event.text.startsWith(this.text)) this.#append(0, event.text, emit);
      this.end = event;
      emit(event);
    } else if (this.#isFresh(event, isNew)) {
      if (this.#marks.length < MARKS_LIMIT) this.#marks.push(event);
      emit(event);
    }
  }

  #isFresh(event: RunEvent, isNew: boolean): boolean {
    if (event.type === 'step.started') {
      if (this.#steps.includes(event.step)) return false;
      this.#steps.push(event.step);
      return true;
    }
    if (event.type === 'run.started') {
      if (this.asked !== null) return false;
      this.asked = event;
      return true;
    }
    // An agent says these again when EVENTS has forgotten the run.
    if (event.type === 'agent.chosen')
      return !this.#marks.some((mark) => mark.type === event.type && mark.agent === event.agent);
    if (event.type === 'run.noted')
      return !this.#marks.some((mark) => mark.type === event.type && mark.text === event.text);
    return isNew;
  }

  #append(at: number, text: string, emit: (event: RunEvent) => void): void {
    const known = this.text.length;
    this.torn = at > known;
    if (this.torn || at + text.length <= known) return;
    const fresh = at === known ? text : text.slice(known - at);
    this.text += fresh;
    this.textJson += JSON.stringify(fresh).slice(1, -1);
    emit({ type: 'text.delta', at: known, text: fresh });
  }
}
