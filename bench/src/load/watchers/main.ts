/** Holds many sockets that watch one room, and counts what they get. */
import { serveParent } from '../../peers/serve-parent.ts';
import type { CountingSocket } from '../counting-socket.ts';
import type { Entrance } from '../entrance.ts';
import { inFlight } from '../in-flight.ts';
import { openSocket } from '../open-socket.ts';

export type WatchersRequest =
  /** Entrances are used in turn; resolves when all are in. */
  | { type: 'open'; port: number; entrances: Entrance[]; count: number }
  /** From now on nobody reads. */
  | { type: 'stall' }
  /**
   * From now on data frames of exactly this length count, from 0. Coalesced: a frame holds as many
   * deliveries as their bytes find room in it; a few more, such as separators, don't matter.
   */
  | { type: 'count'; bytes: number; coalesced: boolean }
  /** Resolves when this many have been counted; fails when there are more. */
  | { type: 'wait'; deliveries: number };

/** At once; above that the server's queue of connections would overflow. */
const OPENING = 64;
const DELIVERED_MS = 20_000;
/** Addresses the sockets come from in turn, 127.0.0.2 and up: one has 28,000 ports. */
const ADDRESSES = 8;

const sockets: CountingSocket[] = [];
let bytes = 0;
let coalesced = false;
let counted = 0;
/** Data frames of another length since `count`: what the server says besides. */
let others = 0;
let failure: Error | null = null;
let wake: (() => void) | null = null;

serveParent<WatchersRequest, number>((request) => {
  if (request.type === 'open') return open(request);
  if (request.type === 'wait') return wait(request.deliveries);
  if (request.type === 'stall') {
    for (const socket of sockets) socket.stall();
    return sockets.length;
  }
  ({ bytes, coalesced } = request);
  counted = 0;
  others = 0;
  return 0;
});

async function open({ port, entrances, count }: Extract<WatchersRequest, { type: 'open' }>) {
  const have = sockets.length;
  await inFlight(count, OPENING, (index) =>
    openOne(port, entrances[index % entrances.length] as Entrance, have + index),
  );
  return sockets.length;
}

async function openOne(port: number, entrance: Entrance, index: number): Promise<void> {
  const from = `127.0.0.${2 + (index % ADDRESSES)}`;
  const onLost = (why: string) => fail(new Error(`a watcher was lost: ${why}`));
  sockets.push(await openSocket({ port, from, ...entrance, onData, onLost }));
}

function onData(length: number): void {
  if (coalesced) counted += Math.floor(length / bytes);
  else if (length === bytes) counted += 1;
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
