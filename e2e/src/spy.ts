/** Sends what a test plants, and keeps every word that comes back. */
import { connect, UpgradeRefused } from '@natter/testkit';
import { vi } from 'vitest';
import type { HttpDoor, SocketDoor } from './credential-doors.ts';

const WAIT = { timeout: 30_000, interval: 10 };

export class Spy {
  /** Frames, ends, heads and bodies. */
  readonly heard: string[] = [];
  readonly #host: string;

  /** `host` and port of a gateway. */
  constructor(host: string) {
    this.#host = host;
  }

  /** Opens it, sends its frames and leaves after the first frame that comes. */
  async socket({ name, path, headers, frames = [] }: SocketDoor): Promise<void> {
    try {
      const probe = await connect(`ws://${this.#host}${path}`, { headers, timeoutMs: 30_000 });
      for (const frame of frames) probe.send(frame);
      await vi.waitFor(() => {
        if (probe.frames.length === 0 && probe.closedWith === null) throw new Error(`${name}: no answer`);
      }, WAIT);
      const closed = await probe.close();
      this.#hear(name, { frames: probe.frames, closed });
    } catch (error) {
      if (!(error instanceof UpgradeRefused)) throw error;
      this.#hear(name, { status: error.status, body: error.body });
    }
  }

  /** Returns the status. */
  async http({ name, method, path, headers, body }: HttpDoor): Promise<number> {
    const response = await fetch(`http://${this.#host}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    this.#hear(name, { head: [...response.headers], body: await response.text() });
    return response.status;
  }

  #hear(name: string, words: object): void {
    this.heard.push(`${name}: ${JSON.stringify(words)}`);
  }
}
