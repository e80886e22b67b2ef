/** People by `sub`, mostly a few: as an array they take a third of a Map's memory. */

/** Above this it is a Map: looking through an array would cost more. */
const FEW_LIMIT = 16;
/** Of the many places where nobody is; never written to. */
const NOBODY: readonly never[] = [];

export class People<P extends { readonly sub: string }> {
  /** A new array whenever somebody comes or goes, so that a loop over it may change it. */
  #people: readonly P[] | Map<string, P> = NOBODY;

  get size(): number {
    return this.#people instanceof Map ? this.#people.size : this.#people.length;
  }

  get(sub: string): P | undefined {
    if (this.#people instanceof Map) return this.#people.get(sub);
    for (const person of this.#people) if (person.sub === sub) return person;
    return undefined;
  }

  has(sub: string): boolean {
    return this.get(sub) !== undefined;
  }

  /** In the place of who has the same `sub`. */
  set(person: P): void {
    if (this.#people instanceof Map) this.#people.set(person.sub, person);
    else if (this.has(person.sub))
      this.#people = this.#people.map((one) => (one.sub === person.sub ? person : one));
    // A spread would make space for 17.
    else if (this.#people.length < FEW_LIMIT) this.#people = this.#people.concat([person]);
    else this.#people = new Map([...this.#people, person].map((one) => [one.sub, one]));
  }

  delete(sub: string): void {
    const person = this.get(sub);
    if (person === undefined) return;
    if (this.size === 1) this.#people = NOBODY;
    else if (this.#people instanceof Map) this.#people.delete(sub);
    else this.#people = this.#people.toSpliced(this.#people.indexOf(person), 1);
  }

  [Symbol.iterator](): IterableIterator<P> {
    return this.#people.values();
  }
}
