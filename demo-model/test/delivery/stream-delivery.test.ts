import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { Pace } from '../../src/delivery/pace.ts';
import { StreamDelivery } from '../../src/delivery/stream-delivery.ts';
import { Ticker } from '../../src/delivery/ticker.ts';
import { RequestRecord } from '../../src/http/request-record.ts';

/** The parts of a response that a stream uses, with a client that can stop reading. */
class FakeResponse extends EventEmitter {
  reads = true;
  written: string[] = [];
  ended: string | null = null;
  destroyed = false;
  writeHead() {}
  flushHeaders() {}
  setTimeout() {}
  write(text: string, flushed?: () => void): boolean {
    this.written.push(text);
    flushed?.();
    return this.reads;
  }
  end(text: string) {
    this.ended = text;
  }
  destroy() {
    this.destroyed = true;
  }
}

function deliver(tokensPerSecond: number, count: number, end: 'finish' | 'cut' = 'finish') {
  const response = new FakeResponse();
  const record = new RequestRecord().add('r', {}, null, 0);
  const plan = { count, head: '<', frame: (at: number) => String(at), tail: end === 'cut' ? '' : '>', end };
  const ticker = new Ticker(() => 0);
  const pace = new Pace(0, 0, tokensPerSecond);
  const stream = new StreamDelivery(response as unknown as ServerResponse, plan, pace, record, ticker);
  stream.start();
  ticker.stop();
  return { response, record, stream };
}

describe('StreamDelivery', () => {
  it('writes each token when it is due and the end with the last', () => {
    const { response, stream } = deliver(100, 3);
    for (const now of [0, 5, 10, 20]) stream.advance(now);
    expect(response.written.filter(Boolean)).toEqual(['<0', '1']);
    expect(response.ended).toBe('2>');
  });

  it('waits for a client that does not read, then sends what has become due', () => {
    const { response, record, stream } = deliver(100, 10);
    response.reads = false;
    stream.advance(0);
    stream.advance(50);
    expect({ sent: record.tokens, next: stream.nextAt() }).toEqual({
      sent: 1,
      next: Number.POSITIVE_INFINITY,
    });
    response.reads = true;
    response.emit('drain');
    stream.advance(50);
    expect(response.written).toEqual(['<0', '12345']);
  });

  it('writes no more than 200 tokens at once, however many are due', () => {
    const { record, stream } = deliver(0, 1_000);
    stream.advance(0);
    expect(record.tokens).toBe(200);
  });

  it('destroys the socket in place of an end when it is to be cut', () => {
    const { response, stream } = deliver(0, 2, 'cut');
    stream.advance(0);
    expect({ ...response, written: response.written }).toMatchObject({
      written: ['<01'],
      ended: null,
      destroyed: true,
    });
  });
});
