/** What a store of files does; every one of them passes `test/store/contract.ts`. */
import type { Placement } from '../records/stored-file.ts';

export interface WrittenFile {
  /** Name for people who look into the store. */
  name: string;
  type: string;
  size: number;
  /** In lower-case hex, of all that was pushed. */
  sha256: string;
}

/** One file being written; nobody can read it before `commit`. */
export interface StoreWriter {
  /** Keeps no more than a few MiB; `bytes` are the caller's again once it resolves. */
  push(bytes: Uint8Array): Promise<void>;
  /** On disk when it returns. Once, and nothing after it but `abort`. */
  commit(file: WrittenFile): Promise<Placement>;
  /** Takes back what was written, also what was committed. Harmless to repeat. */
  abort(): Promise<void>;
}

export interface FileStore {
  readonly kind: Placement['store'];
  /** `key` is an `ObjectKey` that nobody has used. */
  write(key: string): Promise<StoreWriter>;
  /** Bytes from `offset` on, `length` of them. Throws BusError UNAVAILABLE when they can't be had. */
  read(placement: Placement, offset: number, length: number): Promise<Uint8Array>;
  /** Takes away all that was stored under a key, in part or whole. Harmless to repeat. */
  remove(key: string): Promise<void>;
}
