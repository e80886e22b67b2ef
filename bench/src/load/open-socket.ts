/** Opens a counting socket, and waits until the server has let it in. */
import { CountingSocket, type CountingSocketOptions } from './counting-socket.ts';

const OPEN_MS = 30_000;

/** Rejects with why the server did not let it in; `onLost` tells what happens after that. */
export function openSocket(options: CountingSocketOptions): Promise<CountingSocket> {
  return new Promise((resolve, reject) => {
    let isIn = false;
    const timer = setTimeout(() => refused(`not let in for ${OPEN_MS} ms after ${socket.said}`), OPEN_MS);
    const refused = (why: string) => {
      clearTimeout(timer);
      socket.drop();
      reject(new Error(`a connection failed: ${why}`));
    };
    const onLost = (why: string) => (isIn ? options.onLost(why) : refused(why));
    const socket: CountingSocket = new CountingSocket({ ...options, onLost }, () => {
      clearTimeout(timer);
      isIn = true;
      resolve(socket);
    });
  });
}
