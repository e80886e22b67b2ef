/**
 * Who produces which turn: claims a conversation by compare-and-set in the bucket `runs`.
 *
 * Turns of a conversation run in the order of TURNS. A turn that comes back is taken over only
 * when its agent doesn't answer any more, so a broker that was away moves no run.
 */
import { STREAMS, SUBJECTS, type Turn } from '@natter/proto';
import { type Bucket, type Bus, isBusError } from '@natter/runtime';
import { ConversationState, NEW_CONVERSATION } from './conversation-state.ts';

export interface Claim {
  conversation: string;
  seq: number;
  run: string;
  /** 1 for the first agent of this run. */
  number: number;
  /** Of the messages in MESSAGES that precede this turn. */
  recent: readonly number[];
}

/** `ended`: nothing is left to do. `held`: another agent is alive and at work on it. */
export type ClaimResult = Claim | 'ended' | 'held';

/** How long a living agent may take to answer that it holds a run. */
const HOLDER_TIMEOUT_MS = 500;
/** Waiting turns look again this often, in case the word that the conversation is free was lost. */
const LOOK_AGAIN_MS = 2_000;
/** Turns whose messages a model is shown. */
const RECENT_TURNS = 20;

const decoder = new TextDecoder();

export class Claims {
  readonly #bus: Bus;
  readonly #bucket: Bucket;
  readonly #agent: string;

  /** `agent` names this process on the bus: one subject token. */
  constructor(bus: Bus, bucket: Bucket, agent: string) {
    this.#bus = bus;
    this.#bucket = bucket;
    this.#agent = agent;
  }

  /** Answers other agents that ask whether this one is at work on a turn. */
  answerHolders(holds: (seq: number) => boolean): void {
    this.#bus.subscribe(SUBJECTS.agentHolds(this.#agent), (message) =>
      message.respond(holds(Number(decoder.decode(message.data))) ? '1' : '0'),
    );
  }

  /** Claims a turn as soon as the turns before it have ended; rejects when aborted. */
  async take(turn: Turn, seq: number, signal: AbortSignal): Promise<ClaimResult> {
    for (;;) {
      signal.throwIfAborted();
      const { state, revision } = await this.#read(turn.conversation);
      if (seq <= state.doneSeq) return 'ended';
      const again = state.active?.seq === seq ? state.active : null;
      if (again !== null && (await this.#isHeld(again))) return 'held';
      if (again === null && !(await this.#isNext(turn, seq, state.doneSeq))) {
        await this.#untilFree(turn.conversation, state.doneSeq, signal);
        continue;
      }
      const number = (again?.claim ?? 0) + 1;
      const next = { ...state, active: { seq, run: turn.run, owner: this.#agent, claim: number } };
      if (await this.#write(turn.conversation, next, revision)) {
        return { conversation: turn.conversation, seq, run: turn.run, number, recent: state.recent };
      }
    }
  }

  /** Whether nobody has taken the run over since it was claimed. */
  async isOurs(claim: Claim): Promise<boolean> {
    const { state } = await this.#read(claim.conversation);
    return this.#owns(state, claim);
  }

  /** The turn has ended; `messageSeq` is where its messages begin in MESSAGES. */
  async end(claim: Claim, messageSeq: number | null): Promise<void> {
    await this.#change(claim, (state) => ({
      doneSeq: claim.seq,
      active: null,
      recent: [...state.recent, ...(messageSeq === null ? [] : [messageSeq])].slice(-RECENT_TURNS),
    }));
    this.#bus.publish(SUBJECTS.conversationFree(claim.conversation), '');
  }

  /** Hands the run to whoever takes the turn next, without the wait for a dead owner. */
  async handBack(claim: Claim): Promise<void> {
    await this.#change(claim, (state) => ({
      ...state,
      active: state.active === null ? null : { ...state.active, owner: '' },
    }));
  }

  async #change(claim: Claim, change: (state: ConversationState) => ConversationState): Promise<void> {
    for (;;) {
      const { state, revision } = await this.#read(claim.conversation);
      if (!this.#owns(state, claim)) return;
      if (await this.#write(claim.conversation, change(state), revision)) return;
    }
  }

  #owns(state: ConversationState, claim: Claim): boolean {
    const { active } = state;
    return active?.seq === claim.seq && active.owner === this.#agent && active.claim === claim.number;
  }

  async #read(conversation: string): Promise<{ state: ConversationState; revision: number | null }> {
    const entry = await this.#bucket.get(conversation);
    if (entry === null) return { state: NEW_CONVERSATION, revision: null };
    const state = ConversationState.parse(JSON.parse(decoder.decode(entry.value)));
    return { state, revision: entry.revision };
  }

  async #write(conversation: string, state: ConversationState, revision: number | null): Promise<boolean> {
    const value = JSON.stringify(state);
    try {
      if (revision === null) await this.#bucket.create(conversation, value);
      else await this.#bucket.update(conversation, value, revision);
      return true;
    } catch (error) {
      if (isBusError(error, 'CONFLICT')) return false;
      throw error;
    }
  }

  async #isHeld(active: { owner: string; seq: number }): Promise<boolean> {
    // Our own earlier attempt: whoever calls has made sure that it is over.
    if (active.owner === '' || active.owner === this.#agent) return false;
    try {
      const reply = await this.#bus.request(
        SUBJECTS.agentHolds(active.owner),
        String(active.seq),
        HOLDER_TIMEOUT_MS,
      );
      return decoder.decode(reply) === '1';
    } catch (error) {
      if (isBusError(error, 'UNAVAILABLE')) return false;
      throw error;
    }
  }

  /** Whether every earlier turn of the conversation has ended. */
  async #isNext(turn: Turn, seq: number, doneSeq: number): Promise<boolean> {
    const before = await this.#bus.stored.lastBefore(STREAMS.turns, SUBJECTS.turn(turn.conversation), seq);
    return before === null || before.seq <= doneSeq;
  }

  /** Resolves when a turn of the conversation may have ended since `doneSeq`. */
  async #untilFree(conversation: string, doneSeq: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const subscription = this.#bus.subscribe(SUBJECTS.conversationFree(conversation), () => resolve());
    const timer = setTimeout(resolve, LOOK_AGAIN_MS);
    signal.addEventListener('abort', () => resolve(), { once: true });
    try {
      // It may have ended between the look and the subscription.
      const { state } = await this.#read(conversation);
      if (state.doneSeq === doneSeq) await promise;
    } finally {
      clearTimeout(timer);
      subscription.close();
    }
  }
}
