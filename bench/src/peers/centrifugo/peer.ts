/**
 * Centrifugo v6 with its NATS broker in raw mode, so that messages come straight from NATS.
 *
 * Written after its documentation and configuration types; it has never run here.
 */
import { Bus, createLogger, findBroker, freePort } from '@natter/runtime';
import type { Bench } from '../../bench.ts';
import type { Entrance } from '../../load/entrance.ts';
import { RawSocket } from '../../load/raw-socket.ts';
import { CORE } from '../../measure/cores.ts';
import { output } from '../../measure/machine.ts';
import { configFile } from '../config-file.ts';
import { envelope } from '../envelope.ts';
import type { Peer } from '../peer.ts';
import { startProgram } from '../program.ts';
import { findCentrifugo } from './find-centrifugo.ts';

const CHANNEL = 'room';
/** With the prefix of config.yaml. */
const SUBJECT = `bench.${CHANNEL}`;
const PATH = '/connection/websocket';
/** Two commands in one frame. Source: centrifugal.dev, Client protocol. */
const ENTER = `{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"${CHANNEL}"}}`;
const ENTERED = '{"id":2,"subscribe"';
const ENTRANCE: Entrance = { path: PATH, frames: [{ after: null, text: ENTER }], readyMark: ENTERED };
const PROBE_MS = 10_000;

export const centrifugo: Peer = {
  name: 'centrifugo',
  title: 'Centrifugo',
  missing: () => {
    if (findCentrifugo() === null)
      return 'centrifugo is neither on PATH nor in the bin of `go env GOPATH` (go install github.com/centrifugal/centrifugo/v6@latest)';
    return findBroker(process.env.PATH ?? '') === null ? 'nats-server is not installed' : null;
  },
  versions: () => ({ centrifugo: output(findCentrifugo() ?? 'centrifugo', ['version']) }),
  async startRoom(bench) {
    const [port, natsPort] = [await freePort(), await freePort()];
    const nats = await startProgram(bench, {
      name: 'nats-server',
      file: findBroker(process.env.PATH ?? '') as string,
      args: ['--addr', '127.0.0.1', '--port', String(natsPort)],
      port: natsPort,
      core: CORE.load,
    });
    const config = configFile(bench, `${import.meta.dirname}/config.yaml`, { port, natsPort });
    const pid = await startProgram(bench, {
      name: 'Centrifugo',
      file: findCentrifugo() as string,
      args: ['--config', config.file],
      // It counts cores when it starts, and is given one only after that.
      env: { GOMAXPROCS: '1' },
      port,
      core: CORE.underTest,
    });
    const url = `nats://127.0.0.1:${natsPort}`;
    const bus = await Bus.connect({ url, name: 'bench', nkeyFile: null }, createLogger('bench', 'error'));
    bench.defer(() => bus.close());
    const say = (text: string) => bus.publish(SUBJECT, envelope(text));
    const framing = await framingOf(bench, port, say);
    return {
      pids: [pid],
      helpers: { nats },
      port,
      entrances: [ENTRANCE],
      // Centrifugo joins what waits for a client into one frame.
      delivery: (text) => ({ bytes: framing + Buffer.byteLength(envelope(text)), coalesced: true }),
      say: (text, times) => {
        for (let time = 0; time < times; time += 1) say(text);
      },
    };
  },
};

/** Bytes that a push has beyond what was published, told by one. */
function framingOf(bench: Bench, port: number, say: (text: string) => void): Promise<number> {
  const text = 'probe';
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('Centrifugo pushed nothing')), PROBE_MS);
    const socket: RawSocket = new RawSocket({
      port,
      path: PATH,
      onText: (payload) => {
        const frame = payload.toString();
        if (frame.includes(ENTERED)) say(text);
        if (!frame.includes(text)) return;
        clearTimeout(timer);
        socket.drop();
        resolve(payload.length - Buffer.byteLength(envelope(text)));
      },
      onOpen: () => socket.send(ENTER),
      onLost: (why) => reject(new Error(`Centrifugo let nobody in: ${why}`)),
    });
    bench.defer(() => socket.drop());
  });
}
