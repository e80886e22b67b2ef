/** A clock that processes of one machine share: CLOCK_MONOTONIC, in microseconds. */

/** Microseconds since boot; exact to a quarter of one for centuries. */
export function monotonicMicros(): number {
  return Number(process.hrtime.bigint()) / 1_000;
}
