/** Asks a gateway process on its internal port, over loopback. */
import { http } from '@natter/runtime/process';

export interface ProcessAnswer {
  status: number;
  body: string;
}

/** Far above what it takes; whoever asks us waits a few seconds. */
const ANSWER_MS = 2_000;
/** Metrics of a gateway are 30 KB. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Null when it doesn't answer in time, or too much. */
export function askProcess(port: number, path: '/readyz' | '/metrics'): Promise<ProcessAnswer | null> {
  return new Promise((resolve) => {
    // A connection of its own: it must not outlive the process it was made for.
    const request = http.get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        body += piece;
        if (body.length > MAX_BYTES) request.destroy();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.on('close', () => resolve(null));
    });
    request.setTimeout(ANSWER_MS, () => request.destroy());
    request.on('error', () => resolve(null));
  });
}
