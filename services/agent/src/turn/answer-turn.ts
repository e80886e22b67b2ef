/** Lets the orchestrator answer a turn, publishes what it says, and tells how it ended. */
import {
  type AssistantMessage,
  customerKey,
  type RunEvent,
  type TranscriptMessage,
  type Turn,
} from '@natter/proto';
import { type Logger, type Trace, traceparent } from '@natter/runtime';
import { type AnswerEvent, type Orchestrator, TurnRefused } from '../agents/answer.ts';
import { RunCancelled } from './cancellations.ts';
import type { Published } from './published.ts';
import { cancelled, completed, failed } from './run-ends.ts';
import { RunLost, type RunPublisher } from './run-publisher.ts';

export interface AnswerTurn {
  turn: Turn;
  orchestrator: Orchestrator;
  publisher: RunPublisher;
  published: Published;
  history: TranscriptMessage[];
  trace: Trace;
  /** This agent is stopping. */
  stopping: AbortSignal;
  /** Somebody wants the run to stop; RunCancelled is its reason. */
  cancel: AbortSignal;
  log: Logger;
  now: () => number;
}

/** Throws RunLost, or the reason of `stopping` once that is aborted; all else is an end of the run. */
export async function answerTurn(answering: AnswerTurn): Promise<AssistantMessage> {
  const { turn, publisher, trace, stopping, cancel, log, now } = answering;
  try {
    return await listen(answering);
  } catch (err) {
    if (err instanceof RunLost || stopping.aborted) throw err;
    if (cancel.reason instanceof RunCancelled) {
      log.info({ by: cancel.reason.by }, 'run is cancelled');
      return cancelled(turn, publisher.text, cancel.reason.by, now());
    }
    if (err instanceof TurnRefused) {
      log.info({ err }, 'run is refused');
      return failed(turn, publisher.text, trace, now(), err.code);
    }
    log.error({ err }, 'run failed');
    return failed(turn, publisher.text, trace, now());
  }
}

async function listen(answering: AnswerTurn): Promise<AssistantMessage> {
  const { turn, orchestrator, publisher, published, history, trace, stopping, cancel, log, now } = answering;
  cancel.throwIfAborted();
  publisher.emit({ type: 'step.started', step: 'starting' });
  for (const { name, reason } of turn.options?.refusedServers ?? [])
    publisher.emit({ type: 'run.noted', text: `The tool server "${name}" is not used: ${reason}` });
  let toolsToSkip = published.tools;
  const question = {
    conversation: turn.conversation,
    run: turn.run,
    text: turn.text,
    sub: turn.sub,
    name: turn.name ?? null,
    options: turn.options ?? {},
    history,
    customerId: customerKey(turn.sub, turn.customerId ?? turn.sub),
    published: { steps: published.marks.steps(), text: published.text },
    traceparent: traceparent(trace),
    signal: AbortSignal.any([stopping, cancel]),
    log,
  };
  const metadata = await orchestrator.answer(question, (event) => {
    // Whatever a model still says: the answer ends where it was cancelled.
    cancel.throwIfAborted();
    if (event.type === 'text') publisher.append(event.text);
    else if (event.type !== 'tool') publisher.emit(runEventOf(event));
    // An attempt that goes on after another one calls the same tools again; they are told once.
    else if (toolsToSkip > 0) toolsToSkip -= 1;
    else publisher.emit({ type: 'tool.called', tool: event.tool, result: event.result.slice(0, 8_000) });
  });
  cancel.throwIfAborted();
  return completed(turn, publisher.text, metadata, now());
}

function runEventOf(
  event: Extract<AnswerEvent, { type: 'step' | 'agent' | 'note' }>,
): Exclude<RunEvent, { type: 'text.delta' }> {
  if (event.type === 'step') return { type: 'step.started', step: event.step };
  if (event.type === 'agent') return { type: 'agent.chosen', agent: event.agent };
  return { type: 'run.noted', text: event.text.slice(0, 500) };
}
