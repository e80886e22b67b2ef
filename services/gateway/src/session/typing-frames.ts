/** Tells who is typing: one frame a second of each user and conversation, whatever they send. */
import type { LiveEvent } from '@natter/proto';

type Typing = Extract<LiveEvent, { type: 'typing' }>;

interface Typist {
  conversation: string;
  told: Typing;
  toldAtMs: number;
  /** Differs from what was told, and comes too early. */
  later: Typing | null;
}

export interface TypingFramesDeps {
  publish(conversation: string, event: Typing): void;
  now: () => number;
}

/** A person sees no difference; each frame goes to everybody who watches, on all gateways. */
const EVERY_MS = 1_000;
/** People told of within the last second; of further ones nobody is told. About 300 bytes each. */
const TYPISTS_LIMIT = 10_000;

export class TypingFrames {
  readonly #deps: TypingFramesDeps;
  /** By conversation and `sub`; the one told of longest ago is the first. */
  readonly #typists = new Map<string, Typist>();

  constructor(deps: TypingFramesDeps) {
    this.#deps = deps;
  }

  /** Tells it at once, or what has changed a second later, or not at all. */
  say(conversation: string, event: Typing): void {
    const name = `${conversation}|${event.sub}`;
    const typist = this.#typists.get(name);
    if (typist !== undefined && this.#deps.now() - typist.toldAtMs < EVERY_MS)
      typist.later = event.isTyping === typist.told.isTyping ? null : event;
    else this.#tell(name, conversation, event);
  }

  /** Tells what had to wait; call it about once a second. */
  tick(): void {
    const before = this.#deps.now() - EVERY_MS;
    for (const [name, { conversation, toldAtMs, later }] of [...this.#typists]) {
      if (toldAtMs > before) return;
      this.#typists.delete(name);
      if (later !== null) this.#tell(name, conversation, later);
    }
  }

  #tell(name: string, conversation: string, event: Typing): void {
    this.#typists.delete(name);
    if (this.#typists.size >= TYPISTS_LIMIT) return;
    this.#typists.set(name, { conversation, told: event, toldAtMs: this.#deps.now(), later: null });
    this.#deps.publish(conversation, event);
  }
}
