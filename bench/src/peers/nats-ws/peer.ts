/** nats-server's own WebSocket listener: Natter's broker without Natter. */
import { Bus, createLogger, findBroker, freePort } from '@natter/runtime';
import { CORE } from '../../measure/cores.ts';
import { configFile } from '../config-file.ts';
import { envelope } from '../envelope.ts';
import type { Peer } from '../peer.ts';
import { startProgram } from '../program.ts';

const SUBJECT = 'room';
const SUBSCRIPTION = 1;
/** NATS' own protocol in binary frames. Source: docs.nats.io, Client protocol and WebSocket. */
const ENTRANCE = {
  path: '/',
  binary: true,
  frames: [
    {
      after: 'INFO {',
      text: `CONNECT {"verbose":false,"pedantic":false}\r\nSUB ${SUBJECT} ${SUBSCRIPTION}\r\nPING\r\n`,
    },
  ],
  readyMark: 'PONG\r\n',
};

export const natsWs: Peer = {
  name: 'nats-ws',
  title: 'nats-server over WebSocket',
  missing: () =>
    findBroker(process.env.PATH ?? '') === null
      ? 'nats-server is neither installed by npm nor on PATH'
      : null,
  // The machine's report has that of nats-server.
  versions: () => ({}),
  async startRoom(bench) {
    const [port, websocketPort] = [await freePort(), await freePort()];
    const { file: config } = configFile(bench, `${import.meta.dirname}/nats.conf`, { port, websocketPort });
    const pid = await startProgram(bench, {
      name: 'nats-server',
      file: findBroker(process.env.PATH ?? '') as string,
      args: ['-c', config],
      // It counts cores when it starts, and is given one only after that.
      env: { GOMAXPROCS: '1' },
      port: websocketPort,
      core: CORE.underTest,
    });
    const url = `nats://127.0.0.1:${port}`;
    const bus = await Bus.connect({ url, name: 'bench', nkeyFile: null }, createLogger('bench', 'error'));
    bench.defer(() => bus.close());
    return {
      pids: [pid],
      helpers: {},
      port: websocketPort,
      entrances: [ENTRANCE],
      delivery: (text) => ({ bytes: Buffer.byteLength(message(envelope(text))), coalesced: true }),
      say: (text, times) => {
        for (let time = 0; time < times; time += 1) bus.publish(SUBJECT, envelope(text));
      },
    };
  },
};

function message(payload: string): string {
  return `MSG ${SUBJECT} ${SUBSCRIPTION} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`;
}
