/** A feed of log lines on the gateway and on each peer that has one, with their readers. */
import type { Bench } from '../bench.ts';
import { HelperProcess } from '../helper-process.ts';
import { CORE } from '../measure/cores.ts';
import { cpuSeconds } from '../measure/process-meter.ts';
import type { FeedPeer } from '../peers/peer.ts';
import { startMeasuredStack } from '../stack.ts';
import { LogLines, lineText } from './log-lines.ts';
import type { LogReadersRequest } from './log-readers/main.ts';
import { connectAs } from './service-bus.ts';

/** Something that gives each line to all readers. */
export interface LogSide {
  /** `natter`, or a peer's name. */
  name: string;
  title: string;
  /** Readers but the one that stops. */
  count: number;
  /** CPU seconds so far of the processes under test. */
  cpu(): number;
  readers(request: LogReadersRequest): Promise<number>;
  /** Texts of `chars` characters, a multiple of 8, each with the mark once. */
  write(count: number, chars: number, mark: string): Promise<void> | void;
}

const KEY = 'a-key-of-the-benchmark';
const SERVICE = 'bench';
const ASK_MS = 60_000;

/** Natter first. `each`: readers over WebSocket, and as many event streams. */
export async function startLogSides(bench: Bench, each: number, softBufferBytes: number): Promise<LogSide[]> {
  const sides = [await natterSide(bench, each, softBufferBytes)];
  for (const { name, title, startFeed } of bench.peers) {
    if (startFeed === undefined) continue;
    const feed = await startFeed(bench);
    const readers = await startReaders(bench, title);
    sides.push({
      name,
      title,
      readers,
      count: await readers({ type: 'open', ...waysOf(feed), each }),
      cpu: () => feed.pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0),
      write: (count, chars, mark) => {
        // The very frame of Natter's logs-v1.
        const frame = JSON.stringify({ log: lineText(chars, mark) });
        for (let line = 0; line < count; line += 1) feed.say(frame);
      },
    });
  }
  return sides;
}

async function natterSide(bench: Bench, each: number, softBufferBytes: number): Promise<LogSide> {
  const stack = await startMeasuredStack(bench, 'gateway', {
    LOGS_API_KEY: KEY,
    // Only lines of the benchmark.
    NATTER_SHIPPED_LOG_LEVEL: 'silent',
    NATTER_SOFT_BUFFER_BYTES: String(softBufferBytes),
  });
  const gateway = stack.gateways[0];
  if (gateway === undefined) throw new Error('the stack has no gateway');
  const readers = await startReaders(bench, 'Natter');
  const bus = await connectAs('log-writer', stack.nats);
  bench.defer(() => bus.close());
  const lines = new LogLines(bus, SERVICE);
  const ways = {
    port: gateway.ports.http as number,
    socketPath: `/ws/logs?service=${SERVICE}&token=${KEY}`,
    streamPath: `/api/get-logs-stream?service=${SERVICE}`,
    streamHeaders: { Authorization: `Bearer ${KEY}` },
  };
  return {
    name: 'natter',
    title: 'Natter',
    readers,
    count: await readers({ type: 'open', ...ways, each }),
    cpu: () => cpuSeconds(gateway.pid),
    write: (count, chars, mark) => lines.write(count, chars, mark),
  };
}

async function startReaders(bench: Bench, name: string): Promise<LogSide['readers']> {
  const entry = `${import.meta.dirname}/log-readers/main.ts`;
  const helper = await HelperProcess.start<LogReadersRequest, number>(`log readers of ${name}`, entry);
  bench.defer(() => helper.stop());
  bench.cores.pin(helper.pid, CORE.load);
  return (request) => helper.ask(request, ASK_MS);
}

/** What can go to another process. */
function waysOf({ port, socketPath, streamPath, streamHeaders }: FeedPeer) {
  return { port, socketPath, streamPath, streamHeaders };
}
