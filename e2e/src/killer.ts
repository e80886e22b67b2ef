/** Kills services with SIGKILL, one after the other; what was killed starts again by itself. */
import type { ServiceProcess } from '@natter/testkit';

export class Killer {
  readonly #services: readonly ServiceProcess[];
  #kills = 0;
  #dead: Promise<unknown> = Promise.resolve();
  #back: Promise<unknown> = Promise.resolve();

  constructor(services: readonly ServiceProcess[]) {
    this.#services = services;
  }

  kill(): void {
    const victim = this.#services[this.#kills++ % this.#services.length];
    this.#dead = victim?.kill() ?? Promise.resolve();
    const before = this.#back;
    this.#back = this.#dead.then(() => before).then(() => victim?.restart());
  }

  /** What was killed is dead; nobody gives it a request any more. */
  dead(): Promise<unknown> {
    return this.#dead;
  }

  /** All are there again. */
  back(): Promise<unknown> {
    return this.#back;
  }
}
