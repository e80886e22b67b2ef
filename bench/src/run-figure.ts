/** Runs one figure within its time and leaves nothing behind. */
import type { Bench, Figure, FigureResult } from './bench.ts';

/** The longest takes half a minute in its quick size, and ten minutes in full. */
const TIME_LIMIT_MS = { tiny: 120_000, quick: 180_000, full: 900_000 } as const;
/** What each peer may add, as a share of that: slow ones take as long as Natter and raw together. */
const PER_PEER = 0.5;

export class FigureRun {
  readonly #undo: (() => unknown)[] = [];
  readonly #settings: Omit<Bench, 'defer'>;
  #undoing: Promise<void> | null = null;

  constructor(settings: Omit<Bench, 'defer'>) {
    this.#settings = settings;
  }

  /** Never rejects: a figure that can't be measured must not take the others with it. */
  async run(figure: Figure): Promise<FigureResult | Error> {
    const { size, peers } = this.#settings;
    const limit = TIME_LIMIT_MS[size] * (1 + peers.length * PER_PEER);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Error>((resolve) => {
      timer = setTimeout(() => resolve(new Error(`not done after ${limit / 1_000} s`)), limit);
    });
    const bench = { ...this.#settings, defer: (undo: () => unknown) => void this.#undo.push(undo) };
    try {
      return await Promise.race([figure.run(bench).catch(asError), late]);
    } finally {
      clearTimeout(timer);
      await this.undo();
    }
  }

  /** Ends what the figure has started, newest first; safe to call twice. */
  undo(): Promise<void> {
    this.#undoing ??= (async () => {
      for (const undo of this.#undo.reverse()) {
        try {
          await undo();
        } catch (error) {
          this.#settings.say(`could not be stopped: ${asError(error).message}`);
        }
      }
    })();
    return this.#undoing;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
