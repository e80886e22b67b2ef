/** A clock that stands still until a test moves it. */

export interface FrozenClock {
  /** Milliseconds since 1970. Detached use is fine: `const { now } = clock`. */
  now(): number;
  advance(ms: number): void;
}

/** Default start: 2026-01-01T00:00:00Z. */
export function frozenClock(startMs = Date.UTC(2026, 0, 1)): FrozenClock {
  let current = startMs;
  return {
    now: () => current,
    advance: (ms) => {
      if (ms < 0) throw new RangeError('a clock only goes forward');
      current += ms;
    },
  };
}
