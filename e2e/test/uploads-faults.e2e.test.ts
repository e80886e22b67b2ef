/** Uploads while connections break, gateways and the broker die, and several instances share them. */
import type { Socket } from 'node:net';
import type { Probe } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { revive } from '../src/alive.ts';
import type { FramesUpload } from '../src/frames-upload.ts';
import { readMetric } from '../src/metrics.ts';
import { reportFailures } from '../src/report-failures.ts';
import { goOn } from '../src/resuming-upload.ts';
import { openRooms } from '../src/rooms-chat.ts';
import { UPLOAD_WIRES, UploadRig } from '../src/upload-rig.ts';
import { binaryPart, finalizeUpload, partsOf, sha256Of } from '../src/uploading-client.ts';

let rig: UploadRig;
beforeAll(async () => {
  rig = await UploadRig.start();
});
afterAll(() => rig?.stop());
reportFailures(() => rig?.stack);
afterEach(() => revive([...rig.stack.uploads, ...rig.stack.gateways]));

const PART_BYTES = 250_000;

/** Sends the first half of a binary frame, and drops the connection. */
async function breakOffAmid({ socket, closed }: Probe, frame: Uint8Array): Promise<void> {
  // RFC 6455 section 5.2: final, binary, masked with zeros, a length of 64 bits.
  const header = Buffer.alloc(14);
  header.set([0x82, 0x80 | 127]);
  header.writeBigUInt64BE(BigInt(frame.length), 2);
  const tcp = (socket as unknown as { _socket: Socket })._socket;
  await new Promise((sent) => tcp.write(Buffer.concat([header, frame.subarray(0, frame.length / 2)]), sent));
  tcp.destroy();
  await closed;
}

describe('a connection that breaks', () => {
  it('[files/resume] amid a part: the upload goes on over another gateway, and asks for that part again', async () => {
    const shared = await rig.shared('binary', 4, PART_BYTES);
    const upload = shared.upload as FramesUpload;
    await upload.begin(0);
    await upload.send(0);
    const [, part = Buffer.alloc(0)] = partsOf(shared.content, PART_BYTES);
    await breakOffAmid(upload.probe, binaryPart(upload.id, 1, part));
    expect(await upload.comeBack(1)).toEqual({ finished: false, missing: [1, 2, 3] });
    await goOn(upload, 1);
    await rig.expectShared(shared);
  });

  it.each(UPLOAD_WIRES)(
    '[files/resume] by the death of its gateway, at each part: %s goes on over another one',
    async (wire) => {
      const shared = await rig.shared(wire, 3, PART_BYTES);
      const { upload } = shared;
      // The member sits on gateway 1, which stays.
      await upload.begin(0);
      for (const index of upload.parts) {
        const passing = await rig.watch.await(upload.subjectOf(index));
        const sending = upload.send(index).catch(() => undefined);
        // Before it has got the part, or while it waits for the broker.
        if (index % 2 === 1) await passing.seen;
        passing.stop();
        await rig.stack.gateways[0]?.kill();
        await sending;
        const arrived = await upload.comeBack(1);
        if (arrived.finished) throw new Error('it was finished before its last part was sent');
        for (const missing of arrived.missing.filter((one) => one <= index && upload.parts.includes(one)))
          await upload.send(missing);
        await rig.stack.gateways[0]?.restart();
        await upload.comeBack(0);
      }
      const { seen } = await rig.watch.await(`$KV.file_index.attempt.${upload.id}.*`);
      const finishing = upload.finish().catch(() => undefined);
      await seen;
      await rig.stack.gateways[0]?.kill();
      await finishing;
      await goOn(upload, 1);
      await rig.stack.gateways[0]?.restart();
      await rig.expectShared(shared);
    },
  );

  it('while it was finished: two that come back at once, over two gateways, end in one file', async () => {
    const shared = await rig.shared('base64', 3, PART_BYTES);
    const { upload, content } = shared;
    await upload.begin(0);
    for (const index of upload.parts) await upload.send(index);
    const probes = await Promise.all(
      [0, 1, 0].map((gateway) => openRooms(rig.stack.url(gateway), rig.owner)),
    );
    const ends = await Promise.all(
      probes.map((probe) => finalizeUpload(probe, upload.id, sha256Of(content))),
    );
    expect(ends.map(({ data }) => data.status)).toEqual(['ready', 'ready', 'ready']);
    await Promise.all(probes.map((probe) => probe.close()));
    await rig.expectShared(shared);
  });
});

describe('two instances', () => {
  it('[files/any-instance] hear of the parts of uploads, and either finishes them', async () => {
    const { uploads } = rig.stack;
    const received = async () => {
      const all = uploads.map((one) => readMetric(one, 'natter_uploads_received_bytes_total'));
      return (await Promise.all(all)).reduce((sum, bytes) => sum + bytes, 0);
    };
    for (const [index, dies] of uploads.entries()) {
      const shared = await rig.shared('binary', 32, 5_000);
      const { upload } = shared;
      const before = await received();
      await upload.begin(index);
      for (const part of upload.parts) await upload.send(part);
      await expect.poll(received, { timeout: 10_000 }).toBe(before + shared.content.length);
      await dies.kill();
      await upload.finish();
      await dies.restart();
      await rig.expectShared(shared);
    }
  });
});

describe('the broker, killed with -9 and started again', () => {
  it.each(['binary', 'tus'] as const)('in mid-upload and while it is finished: %s goes on', async (wire) => {
    const shared = await rig.shared(wire, 4, PART_BYTES);
    const { upload } = shared;
    await upload.begin(0);
    await upload.send(0);
    const passing = await rig.watch.await(upload.subjectOf(1), () => void rig.nats.kill());
    const sending = upload.send(1);
    await passing.seen;
    await rig.nats.restart();
    // The connection is still there, and its gateway has gone on trying.
    await sending;
    for (const index of upload.parts.slice(2)) await upload.send(index);
    const judged = await rig.watch.await('$O.files.C.>', () => void rig.nats.kill());
    const finishing = upload.finish().catch(() => undefined);
    await judged.seen;
    await rig.nats.restart();
    await goOn(upload, 1);
    upload.cut();
    await finishing;
    await rig.expectShared(shared);
  });
});
