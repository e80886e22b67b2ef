/** Raw uWebSockets.js that asks a service over NATS for each frame, and that service. */
import { startNatsServer } from '@natter/testkit';
import type { Bench } from '../bench.ts';
import { HelperProcess } from '../helper-process.ts';
import { CORE } from '../measure/cores.ts';
import type { RawEchoRequest } from './raw-echo/main.ts';

export interface RawEcho {
  pid: number;
  port: number;
}

const START_MS = 10_000;

/** The server on the core of the process under test, service and broker on that of the load. */
export async function startRawEcho(bench: Bench): Promise<RawEcho> {
  const broker = await startNatsServer();
  bench.defer(() => broker.stop());
  bench.cores.pin(broker.pid, CORE.load);
  const start = async (role: RawEchoRequest['role'], core: number) => {
    const entry = `${import.meta.dirname}/raw-echo/main.ts`;
    const helper = await HelperProcess.start<RawEchoRequest, number>(`raw echo, ${role}`, entry);
    bench.defer(() => helper.stop());
    bench.cores.pin(helper.pid, core);
    return { pid: helper.pid, port: await helper.ask({ role, natsUrl: broker.url }, START_MS) };
  };
  await start('answer', CORE.load);
  return start('serve', CORE.underTest);
}
