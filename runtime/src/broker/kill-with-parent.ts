/** Kills a process when this one dies, even by SIGKILL. */
import { spawn } from 'node:child_process';

/**
 * Watches `pid` until released.
 *
 * A shell waits at the end of a pipe that the kernel closes together with this process; then it
 * kills. Node services see their IPC channel close, but nats-server and a stopped process don't.
 */
export function killWithParent(pid: number): { release(): void } {
  const watcher = spawn('/bin/sh', ['-c', `read -r word; [ "$word" = release ] || kill -9 ${pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // The watcher may be gone already when everything is being killed.
  watcher.stdin.on('error', () => undefined);
  watcher.unref();
  (watcher.stdin as unknown as { unref?(): void }).unref?.();
  return { release: () => void watcher.stdin.end('release\n') };
}
