/** A client that keeps what it is sent, and minds whatever it is told twice or not at all. */
import { isRunEnd } from '@natter/proto';
import { expect } from 'vitest';
import type { Sent } from './hub-rig.ts';

export class CarefulReader {
  /** Texts by message; null: deleted. */
  readonly messages = new Map<string, string | null>();
  readonly #answers = new Map<string, string>();
  readonly #once = new Set<string>();

  read(sent: readonly Sent[]): this {
    for (const one of sent) this.#take(one);
    return this;
  }

  /** What this reader would show. */
  get shown(): unknown {
    const byKey = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1);
    return { messages: [...this.messages].sort(byKey), answers: [...this.#answers].sort(byKey) };
  }

  #take({ said, event, run = '' }: Sent): void {
    if (said !== undefined) return this.#takeSaid(said);
    if (event === undefined) return;
    if (event.type === 'text.delta') {
      const known = this.#answers.get(run) ?? '';
      expect(event.at, 'text begins where the text before it ends').toBe(known.length);
      this.#answers.set(run, known + event.text);
      return;
    }
    if (!isRunEnd(event)) return this.#first(`${run} ${JSON.stringify(event)}`);
    this.#first(`the end of ${run}`);
    if (event.type !== 'run.failed') expect(this.#answers.get(run) ?? '').toBe(event.text);
  }

  #takeSaid(said: NonNullable<Sent['said']>): void {
    if (said.type === 'message.posted') {
      this.#first(`message ${said.run}`);
      this.messages.set(said.run, said.text);
    } else if (said.type === 'message.edited') {
      this.messages.set(said.run, said.text);
    } else if (said.type === 'message.deleted') {
      this.#first(`the deletion of ${said.run}`);
      this.messages.set(said.run, null);
    } else if (said.type === 'message.read') {
      this.#first(`${said.by} has read ${said.run}`);
    }
  }

  #first(what: string): void {
    expect(this.#once, 'told once').not.toContain(what);
    this.#once.add(what);
  }
}
