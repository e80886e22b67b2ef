/** Somebody with a good token who tries things, and keeps every byte that they are sent. */
import { connect, type Frame, type Probe, UpgradeRefused } from '@natter/testkit';
import { ANSWER_MS } from './chat.ts';

/** How to know that a wire has answered everything before: a question that is refused in its turn. */
const LAST_WORDS = {
  'chat-v1': { type: 'message', message: ' ' },
  'session-v1': { content: ' ' },
  'fastchat-v1': ' ',
  'rooms-v1': { type: 'ping' },
} as const;

export type WireName = keyof typeof LAST_WORDS;

export interface SocketTry {
  wire: WireName;
  url: string;
  headers?: Record<string, string>;
  /** Frames to send, one after the other. */
  frames: readonly unknown[];
  /** Whether the last of them is a question that is answered. */
  asks?: boolean;
}

export interface HttpTry {
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: unknown;
}

/** What a connection was sent, up to its last word or its close. */
export interface Outcome {
  frames: Frame[];
  /** Of a connection that was closed, or not opened. */
  closed: string | null;
}

export class Intruder {
  /** Everything that was sent to them, ever. */
  readonly received: string[] = [];

  async socket({ wire, url, headers, frames, asks = false }: SocketTry): Promise<Outcome> {
    let probe: Probe;
    try {
      probe = await connect(url, { headers, timeoutMs: 30_000 });
    } catch (error) {
      if (!(error instanceof UpgradeRefused)) throw error;
      this.received.push(error.body);
      return { frames: [], closed: `${error.status} ${error.body}` };
    }
    for (const frame of frames) if (probe.closedWith === null) probe.send(frame);
    // A connection that is closed on them has said its last word as well.
    if (asks) await this.#until(probe, (frame) => isEnd(wire, frame));
    if (probe.closedWith === null) probe.send(LAST_WORDS[wire]);
    await this.#until(probe, (frame) => isLastWord(wire, frame));
    const closed = probe.closedWith;
    await probe.close();
    this.received.push(...probe.frames.map((frame) => JSON.stringify(frame)));
    return { frames: probe.frames, closed: closed && `${closed.code} ${closed.reason}` };
  }

  /** Status, headers but for the date, and body, as one text. */
  async http({ method, url, headers, body }: HttpTry): Promise<string> {
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const known = [...response.headers].filter(([name]) => name !== 'date');
    const text = `${response.status}\n${JSON.stringify(known)}\n${await response.text()}`;
    this.received.push(text);
    return text;
  }

  async #until(probe: Probe, wanted: (frame: Frame) => boolean): Promise<void> {
    const closed = probe.closed.then(() => undefined);
    const found = probe.next(wanted, ANSWER_MS);
    await Promise.race([found, closed]).catch((error: unknown) => {
      if (probe.closedWith === null) throw error;
    });
    // The loser of the race fails when the probe closes, and nobody waits for it any more.
    found.catch(() => undefined);
  }
}

function isEnd(wire: WireName, frame: Frame): boolean {
  if (wire === 'fastchat-v1') return frame === '--eof';
  if (wire === 'rooms-v1')
    return frame.type === 'error' || (frame.type === 'chat' && frame.data.done === true);
  return frame.type === 'complete' || frame.type === 'agent' || frame.type === 'error';
}

function isLastWord(wire: WireName, frame: Frame): boolean {
  if (wire === 'rooms-v1') return frame.type === 'pong';
  return frame.code === 'EMPTY_MESSAGE' || frame.code === 'AUTH_REQUIRED';
}
