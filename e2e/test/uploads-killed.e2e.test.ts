/** uploads services that are killed with -9 in mid-upload: the client comes back, and the file is whole. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { revive } from '../src/alive.ts';
import { Killer } from '../src/killer.ts';
import { reportFailures } from '../src/report-failures.ts';
import { goOn } from '../src/resuming-upload.ts';
import { UPLOAD_WIRES, UploadRig, type UploadWire } from '../src/upload-rig.ts';

let rig: UploadRig;
beforeAll(async () => {
  rig = await UploadRig.start();
});
afterAll(() => rig?.stop());
reportFailures(() => rig?.stack);
afterEach(() => revive(rig.stack.uploads));

const PARTS = 4;
const PART_BYTES = 300_000;
/** When the service dies: the part is on its way to it, on its way to the broker, or confirmed. */
const MOMENTS = ['sent', 'stored', 'confirmed'] as const;

async function throughItsParts(killer: Killer, wire: UploadWire): Promise<void> {
  const shared = await rig.shared(wire, PARTS, PART_BYTES);
  const { upload } = shared;
  await upload.begin(0);
  killer.kill();
  for (const index of upload.parts) {
    await killer.dead();
    // Over the other gateway each time, while the one that died may still be away.
    const arrived = await upload.comeBack((index + 1) % 2);
    if (arrived.finished) throw new Error('it was finished before its last part was sent');
    for (const missing of arrived.missing.filter((one) => one < index)) await upload.send(missing);
    await killer.back();
    const moment = MOMENTS[(index + UPLOAD_WIRES.indexOf(wire)) % MOMENTS.length];
    const passing = await rig.watch.await(
      upload.subjectOf(index),
      () => moment === 'stored' && killer.kill(),
    );
    // It breaks when the client comes back.
    const sending = upload.send(index).catch(() => undefined);
    if (moment === 'sent') killer.kill();
    else await passing.seen;
    if (moment === 'confirmed') {
      await sending;
      killer.kill();
      await killer.dead();
      const after = await upload.comeBack(index % 2);
      // What was confirmed is not asked for again.
      expect(after.finished ? [index] : after.missing).not.toContain(index);
    }
    passing.stop();
  }
  await killer.dead();
  await goOn(upload, 0);
  await rig.expectShared(shared);
}

describe.each([1, 2] as const)('with %i instance(s)', (instances) => {
  it.each(UPLOAD_WIRES)(
    '[files/killed] uploads killed after init and at each part: %s is whole, and shared once',
    async (wire) => {
      if (instances === 1) await rig.stack.uploads[1]?.kill();
      const killer = new Killer(rig.stack.uploads.slice(0, instances));
      await throughItsParts(killer, wire).finally(() => killer.back());
    },
  );
});
