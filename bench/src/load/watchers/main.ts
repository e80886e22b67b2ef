/** Holds many sockets that watch one room, and counts what they get. */
import { serveParent } from '../../peers/serve-parent.ts';
import { CountingSocket } from '../counting-socket.ts';
import { inFlight } from '../in-flight.ts';

export type WatchersRequest =
  /** `paths` are used in turn; resolves when all are in. */
  | { type: 'open'; port: number; paths: string[]; count: number; readyMark: string | null }
  /** From now on text frames of exactly this length count, from 0. */
  | { type: 'count'; bytes: number }
  /** Resolves when this many have been counted; fails when there are more. */
  | { type: 'wait'; deliveries: number };

/** At once; above that the server's queue of connections would overflow. */
const OPENING = 64;
const OPEN_MS = 30_000;
const DELIVERED_MS = 20_000;
/** Addresses the sockets come from in turn, 127.0.0.2 and up: one has 28,000 ports. */
const ADDRESSES = 8;

const sockets: CountingSocket[] = [];
let bytes = 0;
let counted = 0;
/** Text frames of another length since `count`: what the server says besides. */
let others = 0;
let failure: Error | null = null;
let wake: (() => void) | null = null;

serveParent<WatchersRequest, number>((request) => {
  if (request.type === 'open') return open(request);
  if (request.type === 'wait') return wait(request.deliveries);
  bytes = request.bytes;
  counted = 0;
  others = 0;
  return 0;
});

async function open({ port, paths, count, readyMark }: Extract<WatchersRequest, { type: 'open' }>) {
  await inFlight(count, OPENING, (index) => openOne(port, paths[index % paths.length] as string, readyMark));
  return sockets.length;
}

function openOne(port: number, path: string, readyMark: string | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not let in for ${OPEN_MS} ms`)), OPEN_MS);
    const settle = (done: () => void) => {
      clearTimeout(timer);
      done();
    };
    const from = `127.0.0.${2 + (sockets.length % ADDRESSES)}`;
    const onLost = (why: string) => {
      const error = new Error(`a watcher was lost: ${why}`);
      settle(() => reject(error));
      fail(error);
    };
    const socket = new CountingSocket({ port, path, from, readyMark, onText, onLost }, () =>
      settle(() => resolve()),
    );
    sockets.push(socket);
  });
}

function onText(length: number): void {
  if (length === bytes) counted += 1;
  else others += 1;
  wake?.();
}

function fail(error: Error): void {
  failure ??= error;
  wake?.();
}

function wait(deliveries: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const late = () =>
      settle(() =>
        reject(new Error(`${counted} deliveries instead of ${deliveries}, ${others} other frames`)),
      );
    const timer = setTimeout(late, DELIVERED_MS);
    const settle = (done: () => void) => {
      clearTimeout(timer);
      wake = null;
      done();
    };
    wake = () => {
      if (failure !== null) settle(() => reject(failure));
      else if (counted > deliveries) late();
      else if (counted === deliveries) settle(() => resolve(counted));
    };
    wake();
  });
}
