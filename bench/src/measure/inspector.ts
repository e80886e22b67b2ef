/** Makes a Node process collect its garbage, through its inspector. */
import { once } from 'node:events';
import type { ServiceProcess } from '@natter/testkit';

/** For NODE_OPTIONS of the process: a free port rather than the one everybody uses. */
export const INSPECTOR_OPTIONS = '--inspect-port=0';

const ANSWER_MS = 10_000;

export class Inspector {
  readonly #socket: WebSocket;

  /** Wakes the inspector of a running service and connects; costs the service some memory, once. */
  static async attach(service: ServiceProcess): Promise<Inspector> {
    process.kill(service.pid, 'SIGUSR1');
    const line = await service.line(/Debugger listening on ws:/);
    const socket = new WebSocket(line.slice(line.indexOf('ws:')));
    await once(socket, 'open', { signal: AbortSignal.timeout(ANSWER_MS) });
    return new Inspector(socket);
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Collects all that nobody refers to; returns the bytes of JavaScript objects that are left. */
  async collectGarbage(): Promise<number> {
    await this.#ask('HeapProfiler.collectGarbage');
    return Number((await this.#ask('Runtime.getHeapUsage')).usedSize);
  }

  close(): void {
    this.#socket.close();
  }

  async #ask(method: string): Promise<Record<string, unknown>> {
    const answered = once(this.#socket, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
    this.#socket.send(JSON.stringify({ id: 1, method }));
    const [{ data }] = (await answered) as [MessageEvent];
    return JSON.parse(String(data)).result;
  }
}
