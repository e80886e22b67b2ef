/** The store that new files go to, and the one that a file is in. */
import { BusError } from '@natter/runtime';
import type { Placement } from '../records/stored-file.ts';
import type { FileStore } from './file-store.ts';

export class Stores {
  /** New files go here. */
  readonly current: FileStore;
  readonly #byKind: ReadonlyMap<Placement['store'], FileStore>;

  /** `others` hold files from before the setting was changed. */
  constructor(current: FileStore, others: readonly FileStore[] = []) {
    this.current = current;
    this.#byKind = new Map([...others, current].map((store) => [store.kind, store]));
  }

  /** Throws BusError UNAVAILABLE for a store that is not configured any more. */
  of(kind: Placement['store']): FileStore {
    const store = this.#byKind.get(kind);
    if (store === undefined)
      throw new BusError('UNAVAILABLE', `files of the store ${kind} can't be reached: UPLOAD_DIR is unset`);
    return store;
  }
}
