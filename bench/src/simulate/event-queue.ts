/** Events of a simulation in the order of their times: a binary heap of numbers, without objects. */

const FIRST_CAPACITY = 1_024;

export class EventQueue {
  /** Time of the event taken last. */
  now = 0;
  #times = new Float64Array(FIRST_CAPACITY);
  /** Breaks ties: of two events at one time the one added first comes first. */
  #orders = new Float64Array(FIRST_CAPACITY);
  #kinds = new Uint8Array(FIRST_CAPACITY);
  #subjects = new Int32Array(FIRST_CAPACITY);
  #size = 0;
  #added = 0;

  get size(): number {
    return this.#size;
  }

  /** `at` in ms; never before now, as a simulation that goes back proves nothing. */
  add(at: number, kind: number, subject: number): void {
    if (!(at >= this.now)) throw new RangeError(`an event at ${at}, when it is ${this.now}`);
    if (this.#size === this.#times.length) this.#grow();
    let hole = this.#size++;
    const order = this.#added++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (this.#before(parent, at, order)) break;
      this.#move(parent, hole);
      hole = parent;
    }
    this.#put(hole, at, order, kind, subject);
  }

  /** Takes the earliest and moves `now` there; false when there is none. */
  take(handle: (kind: number, subject: number) => void): boolean {
    if (this.#size === 0) return false;
    this.now = this.#times[0] as number;
    const [kind, subject] = [this.#kinds[0] as number, this.#subjects[0] as number];
    this.#size -= 1;
    if (this.#size > 0) this.#sink(this.#size);
    handle(kind, subject);
    return true;
  }

  /** Puts the last event where the first was, and lets it sink. */
  #sink(last: number): void {
    const [at, order] = [this.#times[last] as number, this.#orders[last] as number];
    const [kind, subject] = [this.#kinds[last] as number, this.#subjects[last] as number];
    let hole = 0;
    for (let child = 1; child < this.#size; child = 2 * hole + 1) {
      const right = child + 1;
      const left = { at: this.#times[child] as number, order: this.#orders[child] as number };
      const smaller = right < this.#size && this.#before(right, left.at, left.order) ? right : child;
      if (!this.#before(smaller, at, order)) break;
      this.#move(smaller, hole);
      hole = smaller;
    }
    this.#put(hole, at, order, kind, subject);
  }

  #before(index: number, at: number, order: number): boolean {
    const time = this.#times[index] as number;
    return time < at || (time === at && (this.#orders[index] as number) < order);
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from] as number;
    this.#orders[to] = this.#orders[from] as number;
    this.#kinds[to] = this.#kinds[from] as number;
    this.#subjects[to] = this.#subjects[from] as number;
  }

  #put(index: number, at: number, order: number, kind: number, subject: number): void {
    this.#times[index] = at;
    this.#orders[index] = order;
    this.#kinds[index] = kind;
    this.#subjects[index] = subject;
  }

  #grow(): void {
    const longer = <T extends Float64Array | Uint8Array | Int32Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    const capacity = 2 * this.#times.length;
    this.#times = longer(new Float64Array(capacity), this.#times);
    this.#orders = longer(new Float64Array(capacity), this.#orders);
    this.#kinds = longer(new Uint8Array(capacity), this.#kinds);
    this.#subjects = longer(new Int32Array(capacity), this.#subjects);
  }
}
