/** What the broker holds of uploads and files, as the uploads service itself would see it. */
import { BUCKETS, STREAMS } from '@natter/proto';
import { Bus, createLogger } from '@natter/runtime';
import type { Stack } from '@natter/testkit';

/** An object's key is the id of its file and a suffix. */
const ID_CHARS = 36;

export interface Remains {
  /** Parts of uploads. */
  parts: string[];
  /** Uploads by their id, with the code of those that were refused. */
  uploads: Map<string, string | null>;
  /** Finished files. */
  files: string[];
  /** Files whose bytes the object store has, and those that it describes. */
  bytes: string[];
  objects: string[];
  /** Jobs and attempts of the index: `scan.<id>`, `text.<id>`, `attempt.<id>.<suffix>`. */
  work: string[];
}

/** Reads it from the leaders. */
export async function remains(stack: Stack): Promise<Remains> {
  const nkeyFile = stack.nats.keyFile('uploads') ?? null;
  const bus = await Bus.connect(
    { url: stack.nats.url, name: 'uploads', nkeyFile },
    createLogger('test', 'silent'),
  );
  try {
    const keys = async (bucket: string) =>
      (await bus.subjectsOf(`KV_${bucket}`, '>')).map((subject) => subject.slice(`$KV.${bucket}.`.length));
    const uploads = await bus.bucket(BUCKETS.uploads);
    const refusals = (await keys(BUCKETS.uploads)).map(async (key): Promise<[string, string | null]> => {
      const entry = await uploads.getFromLeader(key);
      const value = entry === null ? null : JSON.parse(Buffer.from(entry.value).toString());
      return [key.slice(key.lastIndexOf('.') + 1), value?.upload.refused ?? null];
    });
    const objects = async (filter: string, idOf: (token: string) => string) =>
      (await bus.subjectsOf(STREAMS.files, filter))
        .map((subject) => idOf(subject.slice(filter.length - 1)).slice(0, ID_CHARS))
        .sort();
    return {
      parts: await bus.subjectsOf(STREAMS.chunks, '>'),
      uploads: new Map(await Promise.all(refusals)),
      files: (await keys(BUCKETS.files)).sort(),
      bytes: await objects('$O.files.C.*', (key) => key),
      objects: await objects('$O.files.M.*', (name) => Buffer.from(name, 'base64url').toString()),
      work: (await keys(BUCKETS.fileIndex)).filter((key) => /^(scan|text|attempt)\./.test(key)).sort(),
    };
  } finally {
    await bus.close();
  }
}
