/**
 * Who produces which turn: claims a conversation by compare-and-set in the bucket `runs`.
 *
 * Turns of a conversation run in the order of TURNS. A delivery of any of them is only the word
 * that there is something to do: whoever gets it claims the first turn that has not ended. So
 * nobody ever waits for a turn that nobody runs (docs/decisions/0005).
 */
import { STREAMS, SUBJECTS, Turn } from '@natter/proto';
import {
  type Bucket,
  type Bus,
  BusError,
  isBusError,
  type Logger,
  type Stored,
  TRACEPARENT,
} from '@natter/runtime';
import { storedJson } from '../stored-json.ts';
import { ConversationState, NEW_CONVERSATION } from './conversation-state.ts';

export interface Claim {
  turn: Turn;
  /** Sequence of the turn in TURNS. */
  seq: number;
  /** When it was stored there, by the broker's clock. */
  storedAtMs: number;
  /** 1 for the first agent of this run. */
  number: number;
  /** How many of the earlier ones went away without a word. */
  deaths: number;
  /** Where in MESSAGES the newest turns before this one begin, oldest first. */
  recent: readonly number[];
  /** Of the request that asked. */
  traceparent: string | undefined;
}

/** `none`: every turn up to the one asked for has ended. `held`: a living agent is at work. */
export type Next = Claim | 'none' | 'held';

/** How long a living agent may take to answer that it holds a run; asked twice. */
const HOLDER_TIMEOUT_MS = 500;
/** Before the second time: an agent that has just lost its connection is back by then. */
const ASK_AGAIN_MS = 400;
/** Turns of which it is kept where they begin: as many as a model is shown messages, by default. */
const RECENT_TURNS = 20;
/** Looks at a replica that has not yet got the turn that was delivered, 100 ms apart. */
const STALE_LOOKS = 20;

const decoder = new TextDecoder();

/** The bucket `runs` takes no more conversations. */
export class RegistryFull extends Error {
  readonly code = 'REGISTRY_FULL';
  constructor(cause: unknown) {
    super('the registry of conversations is full', { cause });
    this.name = 'RegistryFull';
  }
}

export class Claims {
  readonly #bus: Bus;
  readonly #bucket: Bucket;
  readonly #agent: string;
  readonly #log: Logger;
  /** Turns this process is at work on: sequence and number of the claim. */
  readonly #holding = new Map<number, number>();
  /** Conversations that are being claimed here; resolves when the last call is through. */
  readonly #claiming = new Map<string, Promise<void>>();
  #epoch: Promise<string> | null = null;

  /** `agent` names this process on the bus: one subject token. */
  constructor(bus: Bus, bucket: Bucket, agent: string, log: Logger) {
    this.#bus = bus;
    this.#bucket = bucket;
    this.#agent = agent;
    this.#log = log;
    bus.onReconnect(() => {
      this.#epoch = null;
    });
  }

  /** Turns this process is at work on. */
  get size(): number {
    return this.#holding.size;
  }

  /** Answers other agents that ask whether this one is at work on a turn. */
  answerHolders(): void {
    this.#bus.subscribe(SUBJECTS.agentHolds(this.#agent), (message) =>
      message.respond(this.#holding.has(Number(decoder.decode(message.data))) ? '1' : '0'),
    );
  }

  /**
   * Claims the first turn of a conversation that has not ended, if there is one up to `upTo`.
   *
   * `upTo` is the sequence of a turn that was delivered, or Infinity for any. An agent that is
   * silent loses its run only with `mayTakeOver`, that is to a turn that has waited for AckWait
   * already. Every claim must be released. Throws BusError, or RegistryFull.
   */
  async next(conversation: string, upTo: number, mayTakeOver: boolean): Promise<Next> {
    // One after the other in this process: a claim is held only once its write is acknowledged.
    const before = this.#claiming.get(conversation) ?? Promise.resolve();
    const mine = before.then(() => this.#next(conversation, upTo, mayTakeOver));
    const settled = mine.then(
      () => undefined,
      () => undefined,
    );
    this.#claiming.set(conversation, settled);
    try {
      return await mine;
    } finally {
      if (this.#claiming.get(conversation) === settled) this.#claiming.delete(conversation);
    }
  }

  async #next(conversation: string, upTo: number, mayTakeOver: boolean): Promise<Next> {
    let tried: Claim | null = null;
    for (let looks = 0; ; ) {
      const { state, revision } = await this.#read(conversation);
      if (upTo <= state.doneSeq) return 'none';
      const head = await this.#head(conversation, state.doneSeq);
      if (head === null || head.seq > upTo) {
        if (head !== null || upTo === Number.POSITIVE_INFINITY) return 'none';
        // Reads may come from a replica that lags; what was delivered is there.
        looks += 1;
        if (looks > STALE_LOOKS) throw new BusError('UNAVAILABLE', 'a delivered turn can not be read');
        await new Promise((resolve) => setTimeout(resolve, 100));
        continue;
      }
      const again = state.active?.seq === head.seq ? state.active : null;
      if (tried !== null && again !== null && this.#isMine(again, tried)) return this.#hold(tried);
      if (again !== null && (await this.#isHeld(again, mayTakeOver))) return 'held';
      const claim = claimOf(head, state, again);
      tried = claim;
      // Nothing can be made of it, now or later; the turns behind it must not wait for it.
      if (claim === null) this.#log.error({ seq: head.seq }, 'a turn could not be read');
      const next: ConversationState =
        claim === null
          ? { ...state, doneSeq: head.seq, active: null }
          : { ...state, active: this.#activeOf(claim) };
      if (!(await this.#write(conversation, next, revision)) || claim === null) continue;
      return this.#hold(claim);
    }
  }

  /** Whether nobody has taken the run over since it was claimed. */
  async isOurs(claim: Claim): Promise<boolean> {
    const { state } = await this.#read(claim.turn.conversation);
    return this.#owns(state, claim);
  }

  /** The turn has ended; `messageSeq` is where its messages begin in MESSAGES, if that is known. */
  async end(claim: Claim, messageSeq: number | null): Promise<void> {
    await this.#change(claim, (state) => ({
      ...state,
      doneSeq: claim.seq,
      active: null,
      recent: [...state.recent, ...(messageSeq === null ? [] : [messageSeq])].slice(-RECENT_TURNS),
    }));
  }

  /** Hands the run to whoever is next told of it; that is no death. */
  async handBack(claim: Claim): Promise<void> {
    const owner = '';
    await this.#change(claim, (state) => ({
      ...state,
      active: state.active === null ? null : { ...state.active, owner },
    }));
  }

  /** This process is no longer at work on it, however that came. */
  release(claim: Claim): void {
    // A later claim of the same turn may be under way here.
    if (this.#holding.get(claim.seq) === claim.number) this.#holding.delete(claim.seq);
  }

  /** The first turn that has not ended. */
  async #head(conversation: string, doneSeq: number): Promise<Stored | null> {
    const [head] = await this.#bus.stored.from(STREAMS.turns, SUBJECTS.turn(conversation), doneSeq + 1, 1);
    return head ?? null;
  }

  #activeOf(claim: Claim): NonNullable<ConversationState['active']> {
    const { seq, number, deaths, turn } = claim;
    return { seq, run: turn.run, owner: this.#agent, claim: number, deaths };
  }

  async #change(claim: Claim, change: (state: ConversationState) => ConversationState): Promise<void> {
    for (;;) {
      const { state, revision } = await this.#read(claim.turn.conversation);
      if (!this.#owns(state, claim)) return;
      if (await this.#write(claim.turn.conversation, change(state), revision)) return;
    }
  }

  #owns({ active }: ConversationState, claim: Claim): boolean {
    return active !== null && this.#isMine(active, claim);
  }

  /** Also tells that a claim was stored whose acknowledgement was lost. */
  #isMine(active: NonNullable<ConversationState['active']>, claim: Claim): boolean {
    return active.seq === claim.seq && active.owner === this.#agent && active.claim === claim.number;
  }

  #hold(claim: Claim): Claim {
    this.#holding.set(claim.seq, claim.number);
    return claim;
  }

  async #read(conversation: string): Promise<{ state: ConversationState; revision: number | null }> {
    const entry = await this.#bucket.get(conversation);
    if (entry === null) {
      this.#epoch ??= this.#bus.streamCreated(STREAMS.turns);
      return { state: { ...NEW_CONVERSATION, epoch: await this.#epoch }, revision: null };
    }
    return { state: await this.#stateOf(entry.value), revision: entry.revision };
  }

  async #write(conversation: string, state: ConversationState, revision: number | null): Promise<boolean> {
    const value = JSON.stringify(state);
    try {
      if (revision === null) await this.#bucket.create(conversation, value);
      else await this.#bucket.update(conversation, value, revision);
      return true;
    } catch (error) {
      if (isBusError(error, 'CONFLICT')) return false;
      if (isBusError(error, 'REFUSED')) throw new RegistryFull(error);
      throw error;
    }
  }

  /** The stored state; a new one where it can't be read, or belongs to another life of TURNS. */
  async #stateOf(value: Uint8Array): Promise<ConversationState> {
    this.#epoch ??= this.#bus.streamCreated(STREAMS.turns);
    const epoch = await this.#epoch.catch((error: unknown) => {
      this.#epoch = null;
      throw error;
    });
    const stored = ConversationState.safeParse(storedJson(value));
    if (!stored.success) {
      this.#log.error({ err: stored.error }, 'the state of a conversation could not be read');
      return { ...NEW_CONVERSATION, epoch };
    }
    // Sequences begin anew where the stream was made anew; what was said is still in MESSAGES.
    if (stored.data.epoch !== epoch) return { ...NEW_CONVERSATION, epoch, recent: stored.data.recent };
    return stored.data;
  }

  async #isHeld(active: { owner: string; seq: number }, mayTakeOver: boolean): Promise<boolean> {
    if (active.owner === '') return false;
    if (active.owner === this.#agent) return this.#holding.has(active.seq);
    if (!mayTakeOver) return true;
    if (await this.#saysItHolds(active)) return true;
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    return this.#saysItHolds(active);
  }

  async #saysItHolds({ owner, seq }: { owner: string; seq: number }): Promise<boolean> {
    try {
      const reply = await this.#bus.request(SUBJECTS.agentHolds(owner), String(seq), HOLDER_TIMEOUT_MS);
      return decoder.decode(reply) === '1';
    } catch (error) {
      if (isBusError(error, 'UNAVAILABLE')) return false;
      throw error;
    }
  }
}

/** The claim that comes after `again`, or null when the stored turn makes no sense. */
function claimOf(head: Stored, state: ConversationState, again: ConversationState['active']): Claim | null {
  const turn = Turn.safeParse(storedJson(head.data));
  if (!turn.success) return null;
  return {
    turn: turn.data,
    seq: head.seq,
    storedAtMs: head.timeMs,
    number: (again?.claim ?? 0) + 1,
    deaths: again === null ? 0 : again.deaths + (again.owner === '' ? 0 : 1),
    recent: state.recent,
    traceparent: head.header(TRACEPARENT),
  };
}
