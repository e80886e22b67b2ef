/** The broker of `npm start`: one that it starts itself, or the one that NATS_URL names. */
import { type BrokerOptions, findBroker, startBroker } from '@natter/runtime/broker';
import { StartError } from './start-error.ts';
import type { Process } from './supervisor.ts';

/** Path of nats-server, or a StartError that says how to get one. */
export function brokerBinary(searchPath: string): string {
  const binary = findBroker(searchPath);
  if (binary !== null) return binary;
  throw new StartError(
    'nats-server is neither in node_modules nor on PATH: install it from https://nats.io/download, or set NATS_URL to a broker.',
  );
}

/** A nats-server for the supervisor. */
export function brokerProcess(options: BrokerOptions): Process {
  const started = startBroker(options);
  const gone = started.catch(() => null);
  return {
    ready: started.catch((error: Error) => {
      throw new StartError(`The broker could not start: ${error.message}`);
    }),
    ended: gone.then(async (broker) => {
      await broker?.ended;
      return broker ? 'it was killed or failed' : 'it could not start';
    }),
    stop: async () => (await gone)?.stop(),
    kill: () => void gone.then((broker) => broker?.signal('SIGKILL')),
  };
}

/** How long a broker that somebody else runs may take to answer. */
const REACH_TIMEOUT_MS = 5_000;

/** Throws StartError when no broker answers at `url`. */
export async function reachBroker(url: string, nkeyFile: string | null): Promise<void> {
  // Half a second of loading that the broker of our own doesn't need.
  const { Bus, createLogger } = await import('@natter/runtime');
  const options = { url, nkeyFile, name: 'start', connectTimeoutMs: REACH_TIMEOUT_MS };
  try {
    const bus = await Bus.connect(options, createLogger('start', 'silent'));
    await bus.close();
  } catch (error) {
    throw new StartError(`${(error as Error).message}. NATS_URL names it.`);
  }
}
