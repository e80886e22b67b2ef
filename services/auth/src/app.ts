/** The auth service: verifies and issues tokens for whoever asks on the bus. */
import { Bus, type Logger, Metrics, type Running, startInternalServer } from '@natter/runtime';
import type { AuthConfig } from './config.ts';
import { authEndpoints } from './endpoints.ts';
import { loadKeySources } from './keys/key-sources.ts';
import { TokenVerifier } from './tokens/token-verifier.ts';

/** Version of the service's interface, as discovery shows it. */
const VERSION = '1.0.0';

export async function startAuth(config: AuthConfig, log: Logger): Promise<Running> {
  const sources = await loadKeySources(config, log);
  const verifier = new TokenVerifier(sources, { ...config, log });
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
    await bus.serve(
      'auth',
      VERSION,
      'Verifies and issues access tokens',
      authEndpoints({ config, keys: sources.own, verifier, metrics, log }),
    );
    serving = true;
    describe(config, sources.own.signing.kid, log);
    return {
      ports: { internal: internal.port },
      stop: async () => {
        serving = false;
        await bus.close();
        await internal.close();
      },
    };
  } catch (error) {
    await bus.close();
    throw error;
  }
}

/** Says what is trusted; what suits only development is a warning. */
function describe(config: AuthConfig, kid: string, log: Logger): void {
  const trusted = { kid, sharedSecret: config.secret !== null, identityProvider: config.jwksIssuer };
  log.info(trusted, 'keys are loaded');
  if (config.devLogin) log.warn('NATTER_DEV_LOGIN is on: anybody can sign in under any name');
}
