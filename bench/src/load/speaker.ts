/** A socket that only speaks: what it says goes to everybody who watches. */
import { RawSocket } from './raw-socket.ts';

export function openSpeaker(port: number, path: string): Promise<RawSocket> {
  return new Promise((resolve, reject) => {
    const socket: RawSocket = new RawSocket({
      port,
      path,
      onText: () => undefined,
      onOpen: () => resolve(socket),
      onLost: (why) => reject(new Error(`the speaker's connection failed: ${why}`)),
    });
  });
}
