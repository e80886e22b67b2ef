/** What a dialect is told about a run when it encodes an event; a live look, made once a run. */
import type { Place, RunText } from '../session/dialect.ts';
import { encodeCursor, type Position } from './cursor.ts';
import type { RunStarted, RunView } from './run-view.ts';

export interface Where {
  readonly conversation: string;
  readonly place: Place;
  /** Where a reader is who has this frame; null for readers who want no cursors. */
  readonly position: (() => Position) | null;
  readonly now: () => number;
}

export class RunContext implements RunText {
  readonly run: string;
  readonly #view: RunView;
  readonly #where: Where;

  constructor(run: string, view: RunView, where: Where) {
    this.run = run;
    this.#view = view;
    this.#where = where;
  }

  get room(): string | null {
    return this.#where.place.room;
  }

  get session(): string {
    return this.#where.place.session;
  }

  get text(): string {
    return this.#view.text;
  }

  get textJson(): string {
    return this.#view.textJson;
  }

  get asked(): RunStarted | null {
    return this.#view.asked;
  }

  get cursor(): string | null {
    const { conversation, position } = this.#where;
    return position === null ? null : encodeCursor(conversation, position());
  }

  get atMs(): number {
    return this.#where.now();
  }
}
