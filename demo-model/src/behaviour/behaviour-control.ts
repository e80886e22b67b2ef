/** The behaviour in force, and how often its fault has still to strike. */
import { ApiError } from '../http/api-error.ts';
import { describeIssue } from '../http/describe-issue.ts';
import { type Behaviour, behaviourSchema, DEFAULT_BEHAVIOUR, type Fault } from './behaviour.ts';

const partialSchema = behaviourSchema.partial();

/** A request as a fault sees it. */
export interface Target {
  lastUserText: string;
  classification: boolean;
}

export class BehaviourControl {
  #behaviour: Behaviour = DEFAULT_BEHAVIOUR;
  #strikesLeft = Number.POSITIVE_INFINITY;

  get behaviour(): Behaviour {
    return this.#behaviour;
  }

  /** Replaces the fields given; requests under way keep theirs. Throws ApiError on bad values. */
  set(change: unknown): void {
    const result = partialSchema.safeParse(change);
    if (!result.success) {
      const { message, param } = describeIssue(result.error);
      throw new ApiError({ status: 400, code: 'invalid_behaviour', message, param });
    }
    const given = Object.fromEntries(Object.entries(result.data).filter(([, value]) => value !== undefined));
    this.#behaviour = { ...this.#behaviour, ...given };
    const { fault } = result.data;
    if (fault !== undefined)
      this.#strikesLeft = (fault.kind === 'none' ? undefined : fault.times) ?? Number.POSITIVE_INFINITY;
  }

  /** The fault that hits this request, counted; `none` when it is spared. */
  takeFault(target: Target): Fault {
    const { fault } = this.#behaviour;
    if (fault.kind === 'none' || this.#strikesLeft <= 0) return { kind: 'none' };
    if (fault.matching !== undefined && !target.lastUserText.includes(fault.matching))
      return { kind: 'none' };
    const on = fault.on ?? (fault.kind === 'cut' || fault.kind === 'garbage' ? 'answers' : 'all');
    if (on !== 'all' && (on === 'classifications') !== target.classification) return { kind: 'none' };
    this.#strikesLeft -= 1;
    return fault;
  }
}
