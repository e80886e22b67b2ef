import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type ChildLimits, runWithLimits } from '../../src/text/bounded-child.ts';

const PROBE = fileURLToPath(new URL('./sandbox-probe.ts', import.meta.url));
const LIMITS: ChildLimits = { timeoutMs: 60_000, memoryMiB: 384, chars: 10_000 };
const never = new AbortController().signal;

async function* nothing(): AsyncGenerator<Uint8Array> {}

function probe(what: string, limits: Partial<ChildLimits> = {}, signal = never): Promise<string> {
  return runWithLimits([PROBE, what], nothing(), { ...LIMITS, ...limits }, signal);
}

describe('a process with limits', () => {
  it('[text/limits] gets no memory above its limit, neither outside of the heap', async () => {
    const { mebibytes, error } = JSON.parse(await probe('buffers'));
    expect(error).toBe('RangeError');
    expect(mebibytes).toBeGreaterThan(0);
    expect(mebibytes).toBeLessThan(384);
  });

  it('nor inside', async () => {
    await expect(probe('heap')).rejects.toMatchObject({ code: 'TEXT_TOO_MUCH' });
  });

  it('[text/limits] ends when its time is over', async () => {
    await expect(probe('forever', { timeoutMs: 500 })).rejects.toMatchObject({ code: 'TEXT_TIMEOUT' });
  });

  it('ends when it writes more than it may', async () => {
    await expect(probe('output')).rejects.toMatchObject({ code: 'TEXT_TOO_MUCH' });
  });

  it('ends when the service stops', async () => {
    const stop = new AbortController();
    const ended = expect(probe('forever', {}, stop.signal)).rejects.toMatchObject({ code: 'TEXT_CLOSED' });
    stop.abort();
    await ended;
    await expect(probe('forever', {}, stop.signal)).rejects.toMatchObject({ code: 'TEXT_CLOSED' });
  });

  it('reads nothing but programs, writes nothing, starts nothing, and knows no settings', async () => {
    expect(JSON.parse(await probe('rights'))).toEqual({
      read: 'ERR_ACCESS_DENIED',
      data: 'ERR_ACCESS_DENIED',
      write: 'ERR_ACCESS_DENIED',
      spawn: 'ERR_ACCESS_DENIED',
      environment: [],
    });
  });

  it('ends when the file can not be read, which is what is told', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      throw new Error('the store is away');
    }
    await expect(runWithLimits([PROBE, 'forever'], broken(), LIMITS, never)).rejects.toThrow(
      'the store is away',
    );
  });

  it('ends when its time is over, also where the store never answers', async () => {
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      await new Promise(() => {});
    }
    const limits = { ...LIMITS, timeoutMs: 500 };
    await expect(runWithLimits([PROBE, 'forever'], silent(), limits, never)).rejects.toMatchObject({
      code: 'TEXT_TIMEOUT',
    });
  });
});
