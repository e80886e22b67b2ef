/** The gateway process: alone, the parent of several (processes/), or one of these. */
import { availableParallelism } from 'node:os';
import { runService } from '@natter/runtime/process';
import { GATEWAY_SETTINGS } from './config.ts';
import { placeOf, processCount } from './processes/process-count.ts';

// uWebSockets reads this when it is loaded. Its own 4,096 bytes for a whole request would answer
// 431 to a token of LIMITS.tokenBytes, and to a browser with many cookies.
process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= '16384';
const place = placeOf(process.argv);
// Unheard it would end the process. A signal to the whole group means the parent.
let replace: () => void = () => undefined;
process.on('SIGUSR2', () => replace());

await runService({
  name: 'gateway',
  settings: GATEWAY_SETTINGS,
  ...(place === null ? {} : { logFields: { process: place.index } }),
  // Each loads only what it needs: the parent neither uWebSockets nor the bus.
  async start(config, log) {
    // Elsewhere the kernel doesn't spread connections over those who share a port.
    const count = processCount(config, process.platform === 'linux' ? availableParallelism() : 1);
    const vain = 'SIGUSR2 replaces the processes of a gateway that has several, once they are ready';
    if (place === null) replace = () => log.warn(vain);
    if (place === null && count > 1) {
      const { startProcesses } = await import('./processes/start-processes.ts');
      const { env } = process;
      const running = await startProcesses({ ...config, count, entry: import.meta.filename, env }, log);
      replace = () => void running.replaceAll();
      return running;
    }
    const [{ startGateway }, { collectGarbageWhenCalm }] = await Promise.all([
      import('./app.ts'),
      import('./calm-garbage.ts'),
    ]);
    collectGarbageWhenCalm(log);
    if (place === null) return startGateway(config, log);
    const { parentLink } = await import('./processes/parent-link.ts');
    const { shareOfLimits } = await import('./processes/share-of-limits.ts');
    return startGateway(shareOfLimits(config, place.of), log, parentLink(process));
  },
});
