/** A rooms-v1 connection of the load that only comes, stays and goes. */
import { JOINED_MARK } from './bench-room.ts';
import { CountingSocket } from './counting-socket.ts';

const IN_MS = 30_000;

/** Resolves when the gateway has let it into the room of its path. */
export function openRoom({ port, path }: { port: number; path: string }): Promise<{ drop(): void }> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer);
      reject(new Error(`a connection to a room failed: ${why}`));
    };
    const timer = setTimeout(() => fail(`not let in for ${IN_MS} ms`), IN_MS);
    const socket: CountingSocket = new CountingSocket(
      { port, path, readyMark: JOINED_MARK, onData: () => undefined, onLost: fail },
      () => {
        clearTimeout(timer);
        resolve(socket);
      },
    );
  });
}
