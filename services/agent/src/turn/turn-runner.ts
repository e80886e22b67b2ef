/** Runs the turns of a conversation, one after the other, each from its claim to its last event. */
import { type AssistantMessage, type RunEnd, runEndOf, SUBJECTS, type Turn } from '@natter/proto';
import { type Bus, continueTrace, isBusError, type Logger, type Trace } from '@natter/runtime';
import type { Orchestrator } from '../agents/answer.ts';
import type { StoredEnd, Transcripts } from '../history/transcripts.ts';
import type { AgentMetrics } from '../metrics.ts';
import { answerTurn } from './answer-turn.ts';
import { type Cancellations, RunCancelled } from './cancellations.ts';
import type { Claim, Claims } from './claims.ts';
import type { Mark } from './marks.ts';
import type { PublishRounds } from './publish-rounds.ts';
import { type Published, readPublished, takeOver } from './published.ts';
import { cancelled, failed } from './run-ends.ts';
import { RunLost, RunPublisher } from './run-publisher.ts';

export interface TurnRunnerDeps {
  bus: Bus;
  claims: Claims;
  transcripts: Transcripts;
  cancellations: Cancellations;
  orchestrator: Orchestrator;
  /** Shared by all runs of the process. */
  rounds: PublishRounds;
  metrics: AgentMetrics;
  log: Logger;
  now: () => number;
}

/**
 * `ended`: the turn is over, acknowledge it. `left`: another agent is at work, it comes back
 * until it is over. `returned`: this agent is stopping, give the turn back at once.
 */
export type TurnOutcome = 'ended' | 'left' | 'returned';

/** A run whose agents went away this often without a word is the cause, and ends with an error. */
const MAX_DEATHS = 5;
/** How long a turn that can't be claimed may take to be refused. */
const REFUSE_MS = 10_000;
/** Turns run behind the one that was delivered. */
const WAITING_TURNS = 8;
/** As they are counted. */
const OUTCOMES = {
  'run.completed': 'completed',
  'run.failed': 'failed',
  'run.cancelled': 'cancelled',
} as const satisfies Record<RunEnd['type'], string>;
/** One try to store how a run ended; whose run it is, is looked at before each. */
const END_TRY_MS = 3_000;

export class TurnRunner {
  readonly #deps: TurnRunnerDeps;

  constructor(deps: TurnRunnerDeps) {
    this.#deps = deps;
  }

  /**
   * Runs what has not ended of a conversation, up to and with the turn at `seq`.
   *
   * `mayTakeOver` as in Claims.next. Throws BusError when the broker stays away, RegistryFull;
   * the turn should come back.
   */
  async run(
    conversation: string,
    seq: number,
    mayTakeOver: boolean,
    signal: AbortSignal,
  ): Promise<TurnOutcome> {
    for (;;) {
      if (signal.aborted) return 'returned';
      const claim = await this.#deps.claims.next(conversation, seq, mayTakeOver);
      if (claim === 'none') return 'ended';
      if (claim === 'held') return 'left';
      if (!(await this.#runOne(claim, signal))) return 'returned';
    }
  }

  /**
   * Runs turns that were stored meanwhile; their deliveries went to agents that left them.
   *
   * A few at most, so that a conversation that never rests does not keep its slot for ever: the
   * others come back by themselves. False when this agent is stopping.
   */
  async runWaiting(conversation: string, signal: AbortSignal): Promise<boolean> {
    for (let turns = 0; turns < WAITING_TURNS && !signal.aborted; turns += 1) {
      const claim = await this.#deps.claims.next(conversation, Number.POSITIVE_INFINITY, false);
      if (typeof claim === 'string') return true;
      if (!(await this.#runOne(claim, signal))) return false;
    }
    return !signal.aborted;
  }

  /**
   * Ends a turn that can't be claimed because the registry is full.
   *
   * Its order among the turns of its conversation is lost; that it ends is not.
   */
  async refuse(turn: Turn, trace: Trace): Promise<void> {
    const { bus, transcripts, now } = this.#deps;
    const subject = SUBJECTS.runEvents(turn.conversation, turn.run);
    const published = await readPublished(bus, subject);
    // An answer that failed has a question too.
    await transcripts.addQuestion(turn);
    const record = failed(turn, published.text, trace, now());
    const { message, seq: endSeq } = await transcripts.addEnd(turn, record, REFUSE_MS);
    if (published.ended) return;
    const end = runEndOf(message);
    const events = published.marks.add(startOf(turn)) ? [startOf(turn), end] : [end];
    const batch = { n: published.n + 1, claim: Math.max(1, published.claim), events, endSeq };
    await bus.append(subject, JSON.stringify(batch), { expectLast: published.seq });
  }

  /** False when this agent is stopping and the turn should go to another one. */
  async #runOne(claim: Claim, signal: AbortSignal): Promise<boolean> {
    const { claims, log } = this.#deps;
    const trace = continueTrace(claim.traceparent);
    try {
      await this.#produce(claim, trace, signal);
      return true;
    } catch (error) {
      if (error instanceof RunLost) {
        log.warn({ run: claim.turn.run, traceId: trace.traceId }, 'run was taken over by another agent');
        return true;
      }
      const stopping = signal.aborted;
      // A broker that was away is nobody's death.
      if (stopping || isBusError(error, 'UNAVAILABLE')) await claims.handBack(claim);
      if (!stopping) throw error;
      return false;
    } finally {
      claims.release(claim);
    }
  }

  async #produce(claim: Claim, trace: Trace, signal: AbortSignal): Promise<void> {
    const { transcripts, bus, claims, rounds } = this.#deps;
    const { turn } = claim;
    const subject = SUBJECTS.runEvents(turn.conversation, turn.run);
    const published =
      claim.number === 1
        ? await readPublished(bus, subject)
        : await takeOver(bus, subject, claim.number, startOf(turn));
    // Not before the earlier agent is fenced: it may have ended the run until then.
    const over = await transcripts.findEnd(turn);
    const publisher = new RunPublisher({
      bus,
      subject,
      claim: claim.number,
      published,
      isOurs: () => claims.isOurs(claim),
      signal,
      rounds,
    });
    if (over !== null) return this.#end(claim, publisher, published, over.message, null);
    await this.#finish(claim, publisher, published, trace, signal);
  }

  /** Asks the question, or finds that there is nothing to ask, and ends the run. */
  async #finish(
    claim: Claim,
    publisher: RunPublisher,
    published: Published,
    trace: Trace,
    signal: AbortSignal,
  ): Promise<void> {
    const { transcripts, cancellations, orchestrator, now } = this.#deps;
    const { turn, recent } = claim;
    const log = this.#deps.log.child({ run: turn.run, traceId: trace.traceId });
    const watch = await cancellations.watch(turn, claim.storedAtMs);
    try {
      const messageSeq = await transcripts.addQuestion(turn);
      // Not before: readers hear of a question by whichever is first, and two must come in the log's order.
      // What readers have of a torn run they have heard with its start.
      if (!published.ended && !published.torn) publisher.emit(startOf(turn));
      let message = this.#needless(claim, published, watch.signal, trace);
      if (message === null) {
        const history = await transcripts.read(turn, recent, messageSeq);
        const { signal: cancel } = watch;
        const answering = { turn, orchestrator, publisher, published, history, trace, cancel, log, now };
        message = await answerTurn({ ...answering, stopping: signal });
      }
      await this.#end(claim, publisher, published, message, messageSeq);
    } finally {
      watch.close();
    }
  }

  /** The end of a run that no model is asked for, or null. */
  #needless(claim: Claim, published: Published, cancel: AbortSignal, trace: Trace): AssistantMessage | null {
    const { turn, deaths } = claim;
    const { log, now } = this.#deps;
    if (cancel.reason instanceof RunCancelled)
      return cancelled(turn, published.text, cancel.reason.by, now());
    if (deaths < MAX_DEATHS && !published.torn) return null;
    // Torn: to go on after text that nobody remembers would mix two answers.
    log.error({ run: turn.run, deaths, torn: published.torn, traceId: trace.traceId }, 'run is given up');
    return failed(turn, published.text, trace, now());
  }

  async #end(
    claim: Claim,
    publisher: RunPublisher,
    published: Published,
    message: AssistantMessage,
    messageSeq: number | null,
  ): Promise<void> {
    const { claims, metrics, log } = this.#deps;
    const { turn } = claim;
    // Everything else first: a run that was lost must not decide how it ends.
    await publisher.flush();
    const { message: stored, seq } = await this.#storeEnd(claim, message);
    const end = runEndOf(stored);
    if (!published.ended) await publisher.end(end, seq);
    await claims.end(claim, messageSeq);
    metrics.runs.inc({ outcome: OUTCOMES[end.type] });
    log.info(
      { run: turn.run, outcome: end.type, claim: claim.number, chars: publisher.text.length },
      'run ended',
    );
  }

  /** An agent that was away for a while must not end a run that goes on elsewhere. */
  async #storeEnd(claim: Claim, message: AssistantMessage): Promise<StoredEnd> {
    const { claims, transcripts } = this.#deps;
    for (;;) {
      if (!(await claims.isOurs(claim))) throw new RunLost();
      try {
        return await transcripts.addEnd(claim.turn, message, END_TRY_MS);
      } catch (error) {
        if (!isBusError(error, 'UNAVAILABLE')) throw error;
      }
    }
  }
}

/** The first event of a run. */
function startOf(turn: Turn): Extract<Mark, { type: 'run.started' }> {
  const { messageId, sub, text, askedAt } = turn;
  return { type: 'run.started', messageId, sub, name: turn.name ?? null, text, askedAt };
}
