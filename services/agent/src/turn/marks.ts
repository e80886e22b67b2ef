/** The events of a run that are told once, however many agents produce it. */
import type { RunEvent, RunStep } from '@natter/proto';

export type Mark = Extract<RunEvent, { type: 'run.started' | 'step.started' | 'agent.chosen' | 'run.noted' }>;

/** Four steps, the start, some agents and notes: an orchestrator that says more is not listened to. */
const MAX_MARKS = 128;

export function isMark(event: RunEvent): event is Mark {
  const { type } = event;
  return type === 'run.started' || type === 'step.started' || type === 'agent.chosen' || type === 'run.noted';
}

export class Marks {
  readonly #told = new Map<string, Mark>();

  constructor(marks: Iterable<Mark> = []) {
    for (const mark of marks) this.add(mark);
  }

  /** False when it has been told before, or when there are too many. */
  add(mark: Mark): boolean {
    const key = keyOf(mark);
    if (this.#told.has(key) || this.#told.size >= MAX_MARKS) return false;
    this.#told.set(key, mark);
    return true;
  }

  /** In the order in which they were told. */
  all(): Mark[] {
    return [...this.#told.values()];
  }

  steps(): Set<RunStep> {
    return new Set(this.all().flatMap((mark) => (mark.type === 'step.started' ? [mark.step] : [])));
  }
}

/** A run starts once; a second attempt may choose another agent, and then says so. */
function keyOf(mark: Mark): string {
  if (mark.type === 'run.started') return mark.type;
  if (mark.type === 'step.started') return `step ${mark.step}`;
  return mark.type === 'agent.chosen' ? `agent ${mark.agent}` : `note ${mark.text}`;
}
