/** Makes sure that a port is nobody else's before several processes share it. */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { freePort, isFree } from '@natter/runtime/process';
import { portTaken } from '../edge/port-taken.ts';

export interface ClaimedPort {
  port: number;
  release(): void;
}

/**
 * Rejects with the sentence of a gateway alone when the port is taken; 0 picks a free one.
 *
 * SO_REUSEPORT lets in whoever sets it as the same user, so a second Natter would silently take
 * every other connection; other users the kernel keeps out. Listening for a moment without it finds
 * whoever listens already. Whoever starts at the same moment is kept out by a lock of this process's
 * life: a socket in Linux's abstract namespace, which the kernel takes away however the process ends.
 */
export async function claimPort(host: string, wanted: number): Promise<ClaimedPort> {
  const port = wanted === 0 ? await freePort() : wanted;
  const lock = await takeLock(`natter-port ${host} ${port}`);
  if (lock !== null && (await isFree(port, host))) return { port, release: () => void lock.close() };
  lock?.close();
  throw portTaken(host, port);
}

/** Null when another process has it. */
function takeLock(name: string): Promise<Server | null> {
  const path = `\0${createHash('sha256').update(name).digest('hex')}`;
  return new Promise((resolve, reject) => {
    const lock = createServer((peer) => peer.destroy());
    lock.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    );
    // Elsewhere there is no such namespace, and no balancing between those who share a port either.
    if (process.platform !== 'linux') return resolve(lock);
    lock.listen({ path }, () => {
      lock.unref();
      resolve(lock);
    });
  });
}
