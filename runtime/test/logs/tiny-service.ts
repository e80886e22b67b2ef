/** The least that `runService` runs; SIGUSR2 makes it broadcast, TINY_FAILS makes its start fail. */
import { Bus, broadcastLog, Metrics, runService } from '../../src/index.ts';

await runService({
  name: 'agent',
  settings: {},
  async start(config, log) {
    if (process.env.TINY_FAILS) throw new Error('no start');
    const bus = await Bus.connect({ url: config.natsUrl, name: 'agent', nkeyFile: config.natsNkeyFile }, log);
    process.on('SIGUSR2', () => broadcastLog('for all', { category: 'jobs' }));
    return { ports: {}, bus, metrics: new Metrics('agent'), stop: () => bus.close() };
  },
});
