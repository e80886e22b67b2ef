/** Kills a process when this one dies, even by SIGKILL. */
import { spawn } from 'node:child_process';

/**
 * Watches `pid` until released; kills it at once, or `afterSeconds` later if it has not ended by then.
 *
 * A shell waits at the end of a pipe that the kernel closes together with this process; then it
 * kills. Node services see their IPC channel close, but nats-server and a stopped process don't.
 */
export function killWithParent(pid: number, afterSeconds = 0): { release(): void } {
  // It looks each second: a process that took the pid of one that had ended must not be killed.
  const wait = `n=${Math.ceil(afterSeconds)}; while [ $n -gt 0 ]; do kill -0 ${pid} || exit 0; sleep 1; n=$((n - 1)); done`;
  // Ctrl-C reaches it too, while this process may go on for a while.
  const script = `trap '' INT TERM HUP; read -r word; [ "$word" = release ] && exit 0; ${wait}; kill -9 ${pid}`;
  const watcher = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'] });
  // Where there is no shell, nobody watches: such an image ends all of its processes with the first.
  watcher.on('error', () => undefined);
  // The watcher may be gone already when everything is being killed.
  watcher.stdin.on('error', () => undefined);
  watcher.unref();
  (watcher.stdin as unknown as { unref?(): void }).unref?.();
  return { release: () => void watcher.stdin.end('release\n') };
}
