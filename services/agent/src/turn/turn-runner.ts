/** Runs the turns of a conversation, one after the other, each from its claim to its last event. */
import { type AssistantMessage, customerKey, runEndOf, SUBJECTS, type Turn } from '@natter/proto';
import { type Bus, continueTrace, isBusError, type Logger, type Trace, traceparent } from '@natter/runtime';
import type { Orchestrator } from '../agents/answer.ts';
import type { Transcripts } from '../history/transcripts.ts';
import type { AgentMetrics } from '../metrics.ts';
import type { Claim, Claims } from './claims.ts';
import { type Published, readPublished, takeOver } from './published.ts';
import { RunLost, RunPublisher } from './run-publisher.ts';

export interface TurnRunnerDeps {
  bus: Bus;
  claims: Claims;
  transcripts: Transcripts;
  orchestrator: Orchestrator;
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
    const end = runEndOf(
      await transcripts.addEnd(turn, failed(turn, published.text, trace, now()), REFUSE_MS),
    );
    if (published.ended) return;
    const batch = { n: published.n + 1, claim: Math.max(1, published.claim), events: [end] };
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
    const { transcripts, bus, claims } = this.#deps;
    const { turn } = claim;
    const subject = SUBJECTS.runEvents(turn.conversation, turn.run);
    const [published, history, messageSeq] = await Promise.all([
      claim.number === 1 ? readPublished(bus, subject) : takeOver(bus, subject, claim.number),
      transcripts.read(turn, claim.recent[0]),
      transcripts.addQuestion(turn),
    ]);
    // Not before the earlier agent is fenced: it may have ended the run until then.
    const over = await transcripts.findEnd(turn);
    const publisher = new RunPublisher({
      bus,
      subject,
      claim: claim.number,
      published,
      isOurs: () => claims.isOurs(claim),
      signal,
    });
    const message =
      over ??
      this.#hopeless(claim, published, trace) ??
      (await this.#answer(turn, publisher, published, history, trace, signal));
    await this.#end(claim, publisher, published, message, messageSeq);
  }

  /** The end of a run that must not be tried again, or null. */
  #hopeless(claim: Claim, published: Published, trace: Trace): AssistantMessage | null {
    const { turn, deaths } = claim;
    if (deaths < MAX_DEATHS && !published.torn) return null;
    // Torn: to go on after text that nobody remembers would mix two answers.
    this.#deps.log.error(
      { run: turn.run, deaths, torn: published.torn, traceId: trace.traceId },
      'run is given up',
    );
    return failed(turn, published.text, trace, this.#deps.now());
  }

  async #answer(
    turn: Turn,
    publisher: RunPublisher,
    published: Published,
    history: Parameters<Orchestrator['answer']>[0]['history'],
    trace: Trace,
    signal: AbortSignal,
  ): Promise<AssistantMessage> {
    const { orchestrator, now } = this.#deps;
    const log = this.#deps.log.child({ run: turn.run, traceId: trace.traceId });
    let toolsToSkip = published.tools;
    try {
      publisher.emit({ type: 'step.started', step: 'starting' });
      const events = orchestrator.answer({
        run: turn.run,
        text: turn.text,
        sub: turn.sub,
        name: turn.name ?? null,
        options: turn.options ?? {},
        history,
        customerId: customerKey(turn.sub, turn.customerId ?? turn.sub),
        published: { steps: new Set(published.steps), text: published.text },
        traceparent: traceparent(trace),
        signal,
        log,
      });
      for await (const event of events) {
        if (event.type === 'text') publisher.append(event.text);
        else if (event.type === 'step') publisher.emit({ type: 'step.started', step: event.step });
        else if (event.type === 'tool') {
          // An attempt that goes on after another one calls the same tools again; they are told once.
          toolsToSkip -= 1;
          if (toolsToSkip >= 0) continue;
          publisher.emit({ type: 'tool.called', tool: event.tool, result: event.result.slice(0, 8_000) });
        } else {
          const { metadata } = event;
          return {
            role: 'assistant',
            status: 'completed',
            run: turn.run,
            text: publisher.text,
            metadata,
            at: now(),
          };
        }
      }
      throw new Error('the answer ended without its metadata');
    } catch (err) {
      if (err instanceof RunLost || signal.aborted) throw err;
      log.error({ err }, 'run failed');
      return failed(turn, publisher.text, trace, now());
    }
  }

  async #end(
    claim: Claim,
    publisher: RunPublisher,
    published: Published,
    message: AssistantMessage,
    messageSeq: number,
  ): Promise<void> {
    const { claims, metrics, log } = this.#deps;
    const { turn } = claim;
    // Everything else first: a run that was lost must not decide how it ends.
    await publisher.flush();
    const end = runEndOf(await this.#storeEnd(claim, message));
    if (!published.ended) await publisher.end(end);
    await claims.end(claim, messageSeq);
    metrics.runs.inc({ outcome: end.type === 'run.completed' ? 'completed' : 'failed' });
    log.info(
      { run: turn.run, outcome: end.type, claim: claim.number, chars: publisher.text.length },
      'run ended',
    );
  }

  /** An agent that was away for a while must not end a run that goes on elsewhere. */
  async #storeEnd(claim: Claim, message: AssistantMessage): Promise<AssistantMessage> {
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

function failed(turn: Turn, text: string, trace: Trace, at: number): AssistantMessage {
  return {
    role: 'assistant',
    status: 'failed',
    run: turn.run,
    text,
    code: 'PROCESSING_ERROR',
    correlationId: trace.traceId,
    at,
  };
}
