/** Holds readers of logs over WebSocket and SSE, counts their lines, and has one that stops reading. */
import { connect, type Socket } from 'node:net';
import { serveParent } from '../../peers/serve-parent.ts';
import { CountingSocket } from '../counting-socket.ts';
import { inFlight } from '../in-flight.ts';
import { COUNT_MARK, IN_MARK, STALLED } from '../log-marks.ts';
import { upgradeRequest } from '../raw-socket.ts';
import { SseCounter } from '../sse-counter.ts';

export type LogReadersRequest =
  /** Opens as many of both kinds, and one more WebSocket that stops reading; resolves with all but that one. */
  | ({ type: 'open'; each: number } & LogWays)
  /** Resolves with how many readers, that one too, have had a line with the mark `IN_MARK`. */
  | { type: 'reached' }
  /** From now on lines with the mark `COUNT_MARK` count, from 0; `bytes` is the length of a frame. */
  | { type: 'count'; bytes: number }
  /** Resolves when each has had this many; fails when one has more, or is late. */
  | { type: 'wait'; lines: number }
  /** The one that stopped, and so missed so many lines, reads again; resolves with one of `STALLED`. */
  | { type: 'stalled'; lines: number };

/** Where lines are read. */
export interface LogWays {
  port: number;
  /** Of a WebSocket. */
  socketPath: string;
  /** Of server-sent events. */
  streamPath: string;
  streamHeaders: Record<string, string>;
}

const OPENING = 32;
const DELIVERED_MS = 30_000;
const TOLD_MS = 20_000;
/** The mark alone is also what stands for the length in the head of a frame. */
const LINE_MARK = `"log":"${COUNT_MARK}`;
const GAP_MARK = '{"gap":';

const lines: number[] = [];
let bytes = 0;
let failure: Error | null = null;
let stalled: Socket | null = null;
let stalledIsIn = false;
let wake: (() => void) | null = null;

serveParent<LogReadersRequest, number>((request) => {
  if (request.type === 'open') return open(request);
  if (request.type === 'reached') return lines.filter((count) => count > 0).length + (stalledIsIn ? 1 : 0);
  if (request.type === 'wait') return wait(request.lines);
  if (request.type === 'stalled') return stalledIsTold(request.lines);
  ({ bytes } = request);
  lines.fill(0);
  return 0;
});

/** Lines that were written before the first count may arrive behind it. */
const mark = () => (bytes === 0 ? IN_MARK : COUNT_MARK).charCodeAt(0);

async function open({ port, each, ...ways }: Extract<LogReadersRequest, { type: 'open' }>) {
  await inFlight(each * 2, OPENING, (index) => {
    lines[index] = 0;
    const add = (count: number) => {
      lines[index] = (lines[index] as number) + count;
      wake?.();
    };
    return new Promise((resolve, reject) => {
      const onLost = (why: string) => {
        failure ??= new Error(`reader ${index} was lost: ${why}`);
        reject(failure);
        wake?.();
      };
      if (index < each) {
        const target = { port, path: ways.socketPath, from: '127.0.0.1' };
        // Before the first count any frame says that the reader is in; the length tells the lines from then on.
        const onData = (length: number) => (bytes === 0 || length === bytes) && add(1);
        new CountingSocket({ ...target, readyMark: null, onData, onLost }, resolve);
      } else {
        const target = { port, path: ways.streamPath, headers: ways.streamHeaders };
        new SseCounter({ ...target, mark, onMarks: add, onLost }, resolve);
      }
    });
  });
  stalled = openStalled(port, ways.socketPath);
  return lines.length;
}

/** Reads until it has had a line, and then no more. */
function openStalled(port: number, path: string): Socket {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    if (stalledIsIn || !chunk.includes(IN_MARK)) return;
    stalledIsIn = true;
    socket.pause();
  });
  socket.write(upgradeRequest({ port, path }));
  return socket;
}

function wait(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const settle = (done: () => void) => {
      clearTimeout(timer);
      wake = null;
      done();
    };
    const wrong = () => {
      const counts = [Math.min(...lines), Math.max(...lines)].join(' to ');
      settle(() => reject(new Error(`each should have ${wanted} lines and has ${counts}`)));
    };
    const timer = setTimeout(wrong, DELIVERED_MS);
    wake = () => {
      if (failure !== null) return settle(() => reject(failure));
      if (lines.some((count) => count > wanted)) return wrong();
      if (lines.every((count) => count === wanted)) settle(() => resolve(wanted));
    };
    wake();
  });
}

function stalledIsTold(missed: number): Promise<number> {
  const socket = stalled as Socket;
  return new Promise((resolve) => {
    let cut = '';
    let had = 0;
    const timer = setTimeout(() => resolve(STALLED.untold), TOLD_MS);
    const done = (how: number) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(how);
    };
    socket.on('data', (chunk) => {
      const text = cut + chunk.toString('latin1');
      cut = text.slice(1 - LINE_MARK.length);
      had += text.split(LINE_MARK).length - 1;
      if (text.includes(GAP_MARK)) done(STALLED.gap);
      else if (had === missed) done(STALLED.complete);
    });
    socket.on('close', () => done(STALLED.closed));
    if (socket.destroyed) done(STALLED.closed);
    socket.resume();
  });
}
