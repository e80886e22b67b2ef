/** Characters of which each line of the load has one, once, and nothing else around it has any. */

/** Of lines that show which readers are in. */
export const IN_MARK = '^';
/** Of lines that are counted. */
export const COUNT_MARK = '~';

/** What became of the reader that stopped. */
export const STALLED = { untold: 0, gap: 1, closed: 2, complete: 3 } as const;
