/** Sends lines without a pause, through one gateway, and knows which of them the broker has. */
import type { Stack } from '@natter/testkit';
import { sendLines } from './log-http.ts';

/** Before it tries again what was refused. */
const RETRY_MS = 50;

export class LogPour {
  /** Texts of lines that were accepted. Of others nobody knows: an acknowledgement may have been lost. */
  readonly accepted: string[] = [];
  readonly #stack: Stack;
  readonly #category: string;
  readonly #gateway: number;
  readonly #done: Promise<void>;
  #sent = 0;
  #stopping = false;

  /** Begins. */
  constructor(stack: Stack, category: string, gateway: number) {
    this.#stack = stack;
    this.#category = category;
    this.#gateway = gateway;
    this.#done = this.#pour();
  }

  /** Waits for a last line that is accepted, behind all others; returns its text. */
  async stop(): Promise<string> {
    this.#stopping = true;
    await this.#done;
    for (;;) {
      const before = this.accepted.length;
      await this.#send(1);
      const last = this.accepted.at(-1);
      if (this.accepted.length > before && last !== undefined) return last;
    }
  }

  async #pour(): Promise<void> {
    while (!this.#stopping) await this.#send(20);
  }

  async #send(count: number): Promise<void> {
    const texts = Array.from({ length: count }, () => `${this.#category} ${this.#sent++}`);
    const lines = texts.map((msg) => ({ msg, category: this.#category, service: 'pour' }));
    const reply = await sendLines(this.#stack, lines, { gateway: this.#gateway }).catch(() => null);
    const isKnown = typeof reply?.body.accepted === 'number';
    const refused = new Set<number>(reply?.body.refused?.map(({ line }: { line: number }) => line));
    if (isKnown) this.accepted.push(...texts.filter((_, at) => !refused.has(at)));
    if (!isKnown || refused.size > 0) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
