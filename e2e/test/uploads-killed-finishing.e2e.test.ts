/** uploads services that are killed with -9 while they make a file of an upload: it ends in one file. */
import { STREAMS } from '@natter/proto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { revive } from '../src/alive.ts';
import { reportFailures } from '../src/report-failures.ts';
import { goOn } from '../src/resuming-upload.ts';
import { UPLOAD_WIRES, UploadRig } from '../src/upload-rig.ts';

let rig: UploadRig;
beforeAll(async () => {
  rig = await UploadRig.start();
});
afterAll(() => rig?.stop());
reportFailures(() => rig?.stack);
afterEach(() => revive(rig.stack.uploads));

const PARTS = 3;
const PART_BYTES = 500_000;

/** What passes the broker as a file is made, in this order; the service dies as it does. */
const MOMENTS: [what: string, subject: (id: string) => string][] = [
  ['the attempt is noted', (id) => `$KV.file_index.attempt.${id}.*`],
  ['the first bytes are stored', () => '$O.files.C.>'],
  ['the object is described', () => '$O.files.M.>'],
  ['it is decided', (id) => `$KV.uploads.*.${id}`],
  ['the file is recorded', (id) => `$KV.files.${id}`],
  ['its place is settled', () => '$KV.file_index.owner.*'],
  ['it is in its conversation', (id) => `$KV.file_index.conv.*.${id}`],
  ['it is shared', () => 'msg.conv.*.log'],
  ['the upload is removed', () => '$JS.API.STREAM.PURGE.KV_uploads'],
  ['its parts are removed', () => `$JS.API.STREAM.PURGE.${STREAMS.chunks}`],
];

describe('uploads killed while it finishes an upload', () => {
  it.each(MOMENTS.map(([what, subject], index) => ({ what, subject, index })))(
    '[files/killed] as $what: the client comes back to one file, whole and shared once',
    async ({ subject, index }) => {
      const { uploads } = rig.stack;
      // The one that dies is the only one; it comes back itself, or another one comes instead.
      const [dies, other] = [uploads[index % 2], uploads[(index + 1) % 2]];
      await other?.kill();
      const shared = await rig.shared(UPLOAD_WIRES[index % 3] ?? 'tus', PARTS, PART_BYTES);
      const { upload } = shared;
      await upload.begin(index % 2);
      for (const part of upload.parts) await upload.send(part);
      const { seen } = await rig.watch.await(subject(upload.id), () => void dies?.kill());
      // Nobody answers it; it breaks when the client comes back.
      const finishing = upload.finish().catch(() => undefined);
      await seen;
      expect(await dies?.ended).toMatchObject({ signal: 'SIGKILL' });
      await (index % 3 === 0 ? dies : other)?.restart();
      await goOn(upload, (index + 1) % 2);
      await finishing;
      await rig.expectShared(shared);
    },
  );
});
