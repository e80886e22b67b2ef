/** Keeps two Natters from writing into the same data directory. */
import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { StartError } from './start-error.ts';

/**
 * Makes the directory and holds it until this process ends.
 *
 * The lock is a listening socket in Linux's abstract namespace: the kernel takes it away with the
 * process, however that ends, so there is no stale file and no process id to mistake for another.
 */
export async function lockDataDir(dataDir: string): Promise<void> {
  mkdirSync(dataDir, { recursive: true });
  // No such namespace elsewhere; there two starts still collide on the gateway's port.
  if (process.platform !== 'linux') return;
  const name = createHash('sha256').update(realpathSync(dataDir)).digest('hex');
  await new Promise<void>((resolve, reject) => {
    const socket = createServer((peer) => peer.destroy());
    socket.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new StartError(
              `Natter already runs on ${dataDir}; stop it, or set NATTER_DATA_DIR to another folder.`,
            )
          : error,
      ),
    );
    socket.listen({ path: `\0natter-${name}` }, () => {
      socket.unref();
      resolve();
    });
  });
}
