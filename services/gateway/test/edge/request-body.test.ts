import { describe, expect, it } from 'vitest';
import { RequestBody } from '../../src/edge/request-body.ts';
import { BodyTooLarge } from '../../src/rest/route.ts';

const MIB = 1024 * 1024;
/** The most that one read of uWebSockets brings. */
const READ_BYTES = 512 * 1024;

function rig({ maxBytes = 100 * MIB, hasLength = true } = {}) {
  let onData: (chunk: ArrayBuffer, isLast: boolean) => void = () => {};
  const calls: string[] = [];
  const body = new RequestBody(
    {
      onData: (handler: typeof onData) => {
        onData = handler;
      },
      pause: () => calls.push('pause'),
      resume: () => calls.push('resume'),
    } as never,
    { maxBytes, hasLength },
  );
  const send = (bytes: number, isLast = false) => onData(new ArrayBuffer(bytes), isLast);
  return { body, calls, send };
}

describe('RequestBody', () => {
  it('holds no more than 1 MiB for a reader who is busy, and goes on when it has all been read', async () => {
    const { body, calls, send } = rig();
    let held = 0;
    while (!calls.includes('pause')) {
      send(READ_BYTES);
      held += READ_BYTES;
    }
    expect(held).toBeLessThanOrEqual(MIB);
    const pieces = body[Symbol.asyncIterator]();
    for (let read = 0; read < held; ) read += (await pieces.next()).value?.byteLength ?? 0;
    expect(calls).toEqual(['pause']);
    const next = pieces.next();
    await null;
    expect(calls).toEqual(['pause', 'resume']);
    send(7, true);
    expect((await next).value?.byteLength).toBe(7);
    expect((await pieces.next()).done).toBe(true);
  });

  it('never holds up a client that has sent everything: going on would begin a time limit', async () => {
    const { body, calls, send } = rig();
    send(READ_BYTES);
    send(READ_BYTES, true);
    expect((await body.whole()).byteLength).toBe(MIB);
    expect([body.leave(), calls]).toEqual([true, []]);
  });

  it('holds up a client again with what was read meanwhile: that has begun a time limit', () => {
    const { calls, send } = rig();
    for (let count = 0; count < 4; count += 1) send(READ_BYTES);
    expect(calls).toEqual(['pause', 'pause', 'pause']);
  });

  it('copies what it is given', async () => {
    const { body, send } = rig();
    send(3);
    send(0, true);
    expect(await body.whole()).toEqual(Buffer.alloc(3));
  });

  it('hands over what fits, then throws, and holds up the rest until the reply', async () => {
    const { body, calls, send } = rig({ maxBytes: 10 });
    send(10);
    send(1);
    send(5);
    const pieces = body[Symbol.asyncIterator]();
    expect((await pieces.next()).value?.byteLength).toBe(10);
    await expect(pieces.next()).rejects.toBeInstanceOf(BodyTooLarge);
    expect([body.leave(), new Set(calls)]).toEqual([false, new Set(['pause'])]);
  });

  it('lets a client go on when its reader leaves, and drops what comes', async () => {
    const { body, calls, send } = rig();
    send(READ_BYTES);
    send(READ_BYTES);
    for await (const _piece of body) break;
    expect(calls).toEqual(['pause', 'resume']);
    for (let count = 0; count < 10; count += 1) send(READ_BYTES);
    expect([body.leave(), calls]).toEqual([true, ['pause', 'resume']]);
  });

  it('waits for no client that may send for ever', () => {
    const { body, calls, send } = rig({ hasLength: false });
    send(5);
    expect([body.leave(), calls]).toEqual([false, ['pause']]);
  });

  it.each(['leave', 'gone'] as const)('ends, and leaves the response alone, after %s', async (how) => {
    const { body, calls, send } = rig();
    const pieces = body[Symbol.asyncIterator]();
    const next = pieces.next();
    await null;
    body[how]();
    for (let count = 0; count < 10; count += 1) send(READ_BYTES);
    expect((await next).done).toBe(true);
    expect(calls).toEqual([]);
  });
});
