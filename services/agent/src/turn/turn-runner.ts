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

export class TurnRunner {
  readonly #deps: TurnRunnerDeps;

  constructor(deps: TurnRunnerDeps) {
    this.#deps = deps;
  }

  /**
   * Runs what has not ended of a conversation, up to and with the turn at `seq`.
   *
   * Throws BusError when the broker stays away; the turn should come back.
   */
  async run(conversation: string, seq: number, signal: AbortSignal): Promise<TurnOutcome> {
    for (;;) {
      if (signal.aborted) return 'returned';
      const claim = await this.#deps.claims.next(conversation, seq);
      if (claim === 'none') return 'ended';
      if (claim === 'held') return 'left';
      if (!(await this.#runOne(claim, signal))) return 'returned';
    }
  }

  /** Runs the turns that were stored meanwhile; their deliveries went to agents that left them. */
  async runWaiting(conversation: string, signal: AbortSignal): Promise<void> {
    await this.run(conversation, Number.POSITIVE_INFINITY, signal);
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
    const end = runEndOf(await transcripts.addEnd(turn, failed(turn, published.text, trace, now())));
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
    const [published, over, history, messageSeq] = await Promise.all([
      claim.number === 1 ? readPublished(bus, subject) : takeOver(bus, subject, claim.number),
      transcripts.findEnd(turn),
      transcripts.read(turn, claim.recent[0]),
      transcripts.addQuestion(turn),
    ]);
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
    const { claims, transcripts, metrics, log } = this.#deps;
    const { turn } = claim;
    // Everything else first: a run that was lost must not decide how it ends.
    await publisher.flush();
    const end = runEndOf(await transcripts.addEnd(turn, message));
    if (!published.ended) await publisher.end(end);
    await claims.end(claim, messageSeq);
    metrics.runs.inc({ outcome: end.type === 'run.completed' ? 'completed' : 'failed' });
    log.info(
      { run: turn.run, outcome: end.type, claim: claim.number, chars: publisher.text.length },
      'run ended',
    );
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
