/** Keeps garbage a small part of a gateway's memory. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** By which objects may grow until all are looked through again; V8 by itself lets them double and more. */
const GROWING_PERCENT = 20;

/**
 * What thousands of connections leave behind when they come would stay, as nothing happens then that makes V8
 * collect: 6.3 KB for each in rooms of ten rather than 4.5 (docs/performance.md).
 *
 * Call it once all is loaded, which would take longer otherwise. V8 goes by the new bound from the next collection
 * on, so there is one now.
 */
export function keepHeapLean(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`);
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}
