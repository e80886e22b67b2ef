/** The auth service: tokens, API keys, and who may be where, for whoever asks on the bus. */
import { Bus, type Logger, Metrics, type Running, startInternalServer } from '@natter/runtime';
import { ApiKeyStore } from './api-keys/api-key-store.ts';
import { ApiKeyVerifier } from './api-keys/api-key-verifier.ts';
import { ApiKeys } from './api-keys/api-keys.ts';
import { type AuthConfig, masterTokenFile } from './config.ts';
import { authEndpoints } from './endpoints.ts';
import { Rooms } from './rooms/rooms.ts';
import { StoreOpener } from './rooms/stores.ts';
import { loadTokens, type Tokens } from './tokens/load-tokens.ts';

/** Version of the service's interface, as discovery shows it. */
const VERSION = '1.2.0';

/** Positions of deleted rooms that are left then go when their users list their rooms. */
const ROOMS_STOP_MS = 2_000;

/** Below this a guess is worth trying; a generated one has 43 characters. */
const SHORT_MASTER_TOKEN = 16;

export async function startAuth(config: AuthConfig, log: Logger): Promise<Running> {
  const tokens = await loadTokens(config, log);
  const metrics = new Metrics('auth');
  const bus = await Bus.connect({ url: config.natsUrl, name: 'auth', nkeyFile: config.natsNkeyFile }, log);
  let serving = false;
  try {
    const internal = await startInternalServer({
      host: config.internalHost,
      port: config.internalPort,
      metrics,
      notReady: () => (!serving ? 'not serving' : bus.connected ? null : 'not connected to the broker'),
    });
    const rooms = new Rooms({ log });
    const stores = new StoreOpener(bus, log);
    const store = new ApiKeyStore(bus, log);
    const apiKeys = new ApiKeys({ store, log });
    const uses = tokens.usesWith(new ApiKeyVerifier({ store, environmentKey: config.logsApiKey }));
    await bus.serve(
      'auth',
      VERSION,
      'Verifies and issues tokens and API keys; knows who may be in which room',
      authEndpoints({ ...tokens, uses, config, rooms, stores, apiKeys, metrics, log }),
    );
    serving = true;
    describe(config, tokens, log);
    return {
      bus,
      metrics,
      ports: { internal: internal.port },
      stop: async () => {
        serving = false;
        await rooms.stop(ROOMS_STOP_MS);
        await bus.close();
        await internal.close();
      },
    };
  } catch (error) {
    await bus.close();
    throw error;
  }
}

/** Says what is trusted; what suits only development is a warning. Never a secret. */
function describe(config: AuthConfig, { keys, hasStore }: Tokens, log: Logger): void {
  const { kid } = keys.signing;
  const sharedSecret = config.secret !== null;
  log.info(
    { kid, sharedSecret, identityProvider: config.jwksIssuer, tokenStore: hasStore },
    'keys are loaded',
  );
  if (config.devLogin) log.warn('NATTER_DEV_LOGIN is on: anybody can sign in under any name');
  if (config.masterToken === null)
    log.info({ file: masterTokenFile(config) }, 'MASTER_TOKEN is unset: a generated one is in this file');
  else if (config.masterToken.length < SHORT_MASTER_TOKEN)
    log.warn(`MASTER_TOKEN has less than ${SHORT_MASTER_TOKEN} characters: it can be guessed`);
}
