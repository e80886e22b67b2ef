/** What every store of files must do. */
import { randomBytes, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Placement } from '../../src/records/stored-file.ts';
import type { FileStore } from '../../src/store/file-store.ts';
import { contentOf, sha256 } from '../uploads-under-test.ts';

export interface StoreUnderTest {
  store: FileStore;
  /** Another instance of the service, on the same data. */
  other: FileStore;
  /** Names of everything that is kept, also of what nobody can read yet. */
  left(): Promise<string[]>;
}

const newKey = () => `${randomUUID()}-${randomBytes(4).toString('hex')}`;
const MIB = 2 ** 20;

export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let tested: StoreUnderTest;
    beforeAll(async () => {
      tested = await open();
    });

    const put = async (content: Uint8Array, pieceBytes = MIB, key = newKey()) => {
      const writer = await tested.store.write(key);
      for (let at = 0; at < content.length; at += pieceBytes)
        await writer.push(Buffer.from(content.subarray(at, at + pieceBytes)));
      return writer.commit({
        name: 'notes.txt',
        type: 'text/plain',
        size: content.length,
        sha256: sha256(content),
      });
    };

    it('gives back what was written, to any instance', async () => {
      const content = contentOf(2 * MIB + 333_333);
      const placement = await put(content, 100_001);
      const read = await tested.other.read(placement, 0, content.length);
      expect(sha256(read)).toBe(sha256(content));
      await tested.store.remove(placement.key);
    });

    it('reads ranges, also over the borders of its messages', async () => {
      const content = contentOf(3 * MIB + 7);
      const placement = await put(content, 777_777);
      const ranges = [
        [0, 1],
        [MIB - 1, 2],
        [MIB, MIB],
        [MIB - 5, 2 * MIB],
        [content.length - 1, 1],
      ] as const;
      for (const [offset, length] of ranges) {
        const read = Buffer.from(await tested.store.read(placement, offset, length));
        expect(read.equals(content.subarray(offset, offset + length))).toBe(true);
      }
      await tested.store.remove(placement.key);
    });

    it('leaves nothing after an abort, before and after the commit', async () => {
      const before = await tested.left();
      const writer = await tested.store.write(newKey());
      await writer.push(contentOf(2 * MIB));
      await writer.abort();
      await writer.abort();
      expect(await tested.left()).toEqual(before);

      const committed = await tested.store.write(newKey());
      await committed.push(contentOf(10));
      await committed.commit({ name: 'n', type: 't/t', size: 10, sha256: sha256(contentOf(10)) });
      expect(await tested.left()).not.toEqual(before);
      await committed.abort();
      expect(await tested.left()).toEqual(before);
    });

    it('takes away what a killed writer left, by its key', async () => {
      const before = await tested.left();
      const key = newKey();
      const killed = await tested.store.write(key);
      await killed.push(contentOf(3 * MIB));
      // What it had sent may be on its way still; a sweep comes minutes later.
      await vi.waitFor(async () => {
        await tested.other.remove(key);
        expect(await tested.left()).toEqual(before);
      });
      await killed.abort();
    });

    it('deletes a file once and for all, and nothing else', async () => {
      const kept = await put(contentOf(100));
      const placement = await put(contentOf(100, 2));
      await tested.other.remove(placement.key);
      await tested.other.remove(placement.key);
      await expect(tested.store.read(placement, 0, 100)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(sha256(await tested.store.read(kept, 0, 100))).toBe(sha256(contentOf(100)));
      await tested.store.remove(kept.key);
    });

    it('refuses to read what another kind of store keeps', async () => {
      const placement: Placement =
        tested.store.kind === 'nats'
          ? { store: 'folder', key: newKey() }
          : { store: 'nats', key: newKey(), messageBytes: MIB, seqs: [1] };
      await expect(tested.store.read(placement, 0, 1)).rejects.toMatchObject({ code: 'REFUSED' });
    });
  });
}
