import { frozenClock } from '@natter/testkit';
import { describe, expect, it, vi } from 'vitest';
import { logsV1 } from '../../../src/dialects/logs-v1/codec.ts';
import type { BodyWriter } from '../../../src/rest/route.ts';
import { LogStreams } from '../../../src/session/logs/log-streams.ts';
import type { Admitted, LogVisit } from '../../../src/session/logs/log-visits.ts';
import type { LogOutlet } from '../../../src/session/logs/log-wire.ts';

const OPENING = logsV1.open({ query: () => undefined, header: () => '' });

class FakeWriter implements BodyWriter {
  readonly pieces: string[] = [];
  readonly abort = new AbortController();
  readonly signal = this.abort.signal;
  taken: PromiseWithResolvers<void> | null = null;
  ended = 0;

  write(piece: string | Uint8Array): boolean {
    this.pieces.push(Buffer.from(piece as string).toString());
    return this.taken === null;
  }

  drained(): Promise<void> {
    return this.taken?.promise ?? Promise.resolve();
  }

  buffered(): number {
    return 0;
  }

  end(): void {
    this.ended += 1;
  }
}

function rig({ full = false } = {}) {
  const clock = frozenClock();
  const writer = new FakeWriter();
  const visit = { stop: vi.fn(), tick: vi.fn(), drained: vi.fn() };
  const begin = vi.fn((..._given: unknown[]) => (full ? null : (visit as unknown as LogVisit)));
  const streams = new LogStreams({ visits: { begin }, wire: logsV1, now: clock.now, random: () => 0.5 });
  const open = () => streams.begin(writer, {} as Admitted, OPENING);
  const outlet = () => begin.mock.calls[0]?.[2] as Pick<LogOutlet, 'send' | 'sendEvents'> & { end(): void };
  return { clock, writer, visit, streams, open, outlet };
}

describe('LogStreams', () => {
  it('say first when to come back', () => {
    const { open, writer } = rig();
    open();
    expect(writer.pieces).toEqual(['retry: 2000\n\n']);
  });

  it('write what comes at once in one piece', () => {
    const { open, writer, outlet } = rig();
    open();
    outlet().send(['a', 'b', 'c']);
    expect(writer.pieces.slice(1)).toEqual(['abc']);
  });

  it('hand on bytes as they are, whoever else gets them', () => {
    const { open, writer, outlet } = rig();
    open();
    const write = vi.spyOn(writer, 'write');
    const events = new TextEncoder().encode('data: {"log":"\u017d"}\n\n');
    outlet().sendEvents(events);
    expect(write.mock.calls[0]?.[0]).toBe(events);
    writer.abort.abort();
    outlet().sendEvents(events);
    expect(write).toHaveBeenCalledOnce();
  });

  it('send a heartbeat after 15 s of silence, and none while lines come', () => {
    const { open, writer, streams, clock, outlet } = rig();
    open();
    clock.advance(14_000);
    streams.tick(clock.now());
    outlet().send(['a']);
    clock.advance(14_000);
    streams.tick(clock.now());
    expect(writer.pieces.slice(1)).toEqual(['a']);
    clock.advance(1_000);
    streams.tick(clock.now());
    expect(writer.pieces.slice(2)).toEqual([':\n\n']);
  });

  it('tell the reader when the client has taken what it was sent', async () => {
    const { open, writer, visit, outlet } = rig();
    open();
    writer.taken = Promise.withResolvers();
    outlet().send(['a']);
    await Promise.resolve();
    expect(visit.drained).not.toHaveBeenCalled();
    writer.taken.resolve();
    await writer.taken.promise;
    await Promise.resolve();
    expect(visit.drained).toHaveBeenCalledOnce();
  });

  it('end when the client goes or the gateway stops, and write nothing more', () => {
    const { open, writer, visit, streams, outlet } = rig();
    open();
    expect(streams.size).toBe(1);
    writer.abort.abort();
    outlet().send(['late']);
    outlet().end();
    expect([streams.size, visit.stop.mock.calls.length, writer.ended]).toEqual([0, 1, 1]);
    expect(writer.pieces).toHaveLength(1);
  });

  it('end once when the reader is shut out', () => {
    const { open, writer, visit, streams, outlet } = rig();
    open();
    outlet().end();
    outlet().end();
    expect([streams.size, visit.stop.mock.calls.length, writer.ended]).toEqual([0, 1, 1]);
  });

  it('do not begin for a client that has gone', () => {
    const { open, writer, streams } = rig();
    writer.abort.abort();
    open();
    expect([streams.size, writer.pieces.length]).toEqual([0, 0]);
  });

  it('say so and end where others were faster', () => {
    const { open, writer, streams } = rig({ full: true });
    open();
    expect(writer.pieces[1]).toContain('TOO_MANY_CONNECTIONS');
    expect([streams.size, writer.ended]).toEqual([0, 1]);
  });
});
