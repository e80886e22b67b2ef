/** Files in a folder: written beside it, moved in when they are complete. */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BusError } from '@natter/runtime';
import type { Placement } from '../../records/stored-file.ts';
import type { FileStore, StoreWriter, WrittenFile } from '../file-store.ts';

export interface Folders {
  /** Finished files, in folders of the first two characters of their names. */
  dir: string;
  /** Files that are being written; on the same file system. */
  tempDir: string;
}

export class FolderStore implements FileStore {
  readonly kind = 'folder';
  readonly #folders: Folders;

  private constructor(folders: Folders) {
    this.#folders = folders;
  }

  /** Makes the folders; throws when files can't be moved from one to the other. */
  static async open(folders: Folders): Promise<FolderStore> {
    await mkdir(folders.dir, { recursive: true, mode: 0o700 });
    await mkdir(folders.tempDir, { recursive: true, mode: 0o700 });
    const probe = `.probe-${process.pid}-${Date.now()}`;
    const [from, to] = [join(folders.tempDir, probe), join(folders.dir, probe)];
    await (await open(from, 'wx', 0o600)).close();
    try {
      await rename(from, to);
    } finally {
      await rm(from, { force: true });
      await rm(to, { force: true });
    }
    return new FolderStore(folders);
  }

  async write(key: string): Promise<StoreWriter> {
    const temporary = this.#temporary(key);
    return new FolderWriter(await orUnavailable(open(temporary, 'wx', 0o600)), {
      key,
      temporary,
      final: this.#final(key),
      remove: () => this.remove(key),
    });
  }

  async read(placement: Placement, offset: number, length: number): Promise<Uint8Array> {
    if (placement.store !== 'folder') throw new BusError('REFUSED', 'the file is in another store');
    let handle: FileHandle | null = null;
    try {
      handle = await open(this.#final(placement.key), 'r');
      const bytes = Buffer.allocUnsafe(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) throw new BusError('UNAVAILABLE', `${placement.key} is shorter than it was`);
        done += bytesRead;
      }
      return bytes;
    } catch (error) {
      if (error instanceof BusError) throw error;
      throw new BusError('UNAVAILABLE', `${placement.key} can't be read`, error);
    } finally {
      await handle?.close();
    }
  }

  async remove(key: string): Promise<void> {
    await orUnavailable(rm(this.#temporary(key), { force: true }));
    await orUnavailable(rm(this.#final(key), { force: true }));
  }

  #temporary(key: string): string {
    return join(this.#folders.tempDir, key);
  }

  #final(key: string): string {
    return join(this.#folders.dir, key.slice(0, 2), key);
  }
}

interface Paths {
  key: string;
  temporary: string;
  final: string;
  remove(): Promise<void>;
}

class FolderWriter implements StoreWriter {
  readonly #handle: FileHandle;
  readonly #paths: Paths;
  #closed = false;

  constructor(handle: FileHandle, paths: Paths) {
    this.#handle = handle;
    this.#paths = paths;
  }

  async push(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      done += (await orUnavailable(this.#handle.write(bytes, done))).bytesWritten;
    }
  }

  async commit(_file: WrittenFile): Promise<Placement> {
    await orUnavailable(this.#moveIn());
    return { store: 'folder', key: this.#paths.key };
  }

  async abort(): Promise<void> {
    await orUnavailable(this.#close());
    await this.#paths.remove();
  }

  async #moveIn(): Promise<void> {
    const { temporary, final } = this.#paths;
    await this.#handle.sync();
    await this.#close();
    const folder = dirname(final);
    // Another writer may have made it a moment ago: its name is on disk once the one above is, too.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await rename(temporary, final);
    await syncFolder(folder);
    await syncFolder(dirname(folder));
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }
}

/**
 * What the system refuses, such as a full disk (ENOSPC, EDQUOT) or a folder of somebody else (EACCES),
 * may be put right: the parts stay, so that a later finalize can succeed.
 */
async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new BusError('UNAVAILABLE', 'the folder of uploads can not be written', error);
  }
}

/** A new name is on disk once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
