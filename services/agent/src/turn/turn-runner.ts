/** Produces one answer, from the claim of its conversation to the last event. */
import { type AssistantMessage, customerKey, runEndOf, SUBJECTS, type Turn } from '@natter/proto';
import { type Bus, type Logger, type Trace, traceparent } from '@natter/runtime';
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
 * `ended`: the turn is over, acknowledge it. `left`: another agent has it, forget it.
 * `returned`: this agent is stopping, give the turn back.
 */
export type TurnOutcome = 'ended' | 'left' | 'returned';

export class TurnRunner {
  readonly #deps: TurnRunnerDeps;

  constructor(deps: TurnRunnerDeps) {
    this.#deps = deps;
  }

  /** Runs a turn; throws only when the broker stays away, and the turn should come back. */
  async run(turn: Turn, seq: number, trace: Trace, signal: AbortSignal): Promise<TurnOutcome> {
    const claim = await this.#claim(turn, seq, signal);
    if (claim === 'returned') return 'returned';
    if (claim === 'held') return 'left';
    if (claim === 'ended') return 'ended';
    try {
      await this.#produce(turn, claim, trace, signal);
      return 'ended';
    } catch (error) {
      if (error instanceof RunLost) {
        this.#deps.log.warn({ run: turn.run, traceId: trace.traceId }, 'run was taken over by another agent');
        return 'left';
      }
      if (!signal.aborted) throw error;
      await this.#deps.claims.handBack(claim);
      return 'returned';
    }
  }

  /** Ends a turn that no agent could finish; false while one is at work on it after all. */
  async bury(turn: Turn, seq: number, trace: Trace): Promise<boolean> {
    const claim = await this.#deps.claims.take(turn, seq, AbortSignal.timeout(60_000));
    if (typeof claim === 'string') return claim === 'ended';
    const published = await this.#published(turn, claim);
    const publisher = this.#publisher(turn, claim, published, AbortSignal.timeout(60_000));
    const messageSeq = await this.#deps.transcripts.addQuestion(turn);
    await this.#end(
      turn,
      claim,
      publisher,
      published,
      failed(turn, publisher.text, trace, this.#deps.now()),
      messageSeq,
    );
    return true;
  }

  async #claim(
    turn: Turn,
    seq: number,
    signal: AbortSignal,
  ): Promise<Awaited<ReturnType<Claims['take']>> | 'returned'> {
    try {
      return await this.#deps.claims.take(turn, seq, signal);
    } catch (error) {
      if (signal.aborted) return 'returned';
      throw error;
    }
  }

  async #produce(turn: Turn, claim: Claim, trace: Trace, signal: AbortSignal): Promise<void> {
    const { transcripts } = this.#deps;
    const [published, over, history, messageSeq] = await Promise.all([
      this.#published(turn, claim),
      transcripts.findEnd(turn),
      transcripts.read(turn, claim.recent[0]),
      transcripts.addQuestion(turn),
    ]);
    const publisher = this.#publisher(turn, claim, published, signal);
    const message = over ?? (await this.#answer(turn, publisher, published, history, trace, signal));
    await this.#end(turn, claim, publisher, published, message, messageSeq);
  }

  #published(turn: Turn, claim: Claim): Promise<Published> {
    const subject = SUBJECTS.runEvents(turn.conversation, turn.run);
    return claim.number === 1
      ? readPublished(this.#deps.bus, subject)
      : takeOver(this.#deps.bus, subject, claim.number);
  }

  #publisher(turn: Turn, claim: Claim, published: Published, signal: AbortSignal): RunPublisher {
    return new RunPublisher({
      bus: this.#deps.bus,
      subject: SUBJECTS.runEvents(turn.conversation, turn.run),
      claim: claim.number,
      published,
      isOurs: () => this.#deps.claims.isOurs(claim),
      signal,
    });
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
    publisher.emit({ type: 'step.started', step: 'starting' });
    let toolsToSkip = published.tools;
    try {
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
    turn: Turn,
    claim: Claim,
    publisher: RunPublisher,
    published: Published,
    message: AssistantMessage,
    messageSeq: number,
  ): Promise<void> {
    const { claims, transcripts, metrics, log } = this.#deps;
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
