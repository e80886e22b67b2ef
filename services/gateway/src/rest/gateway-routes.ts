/** Every HTTP route of the gateway. */
import type { Bus, Logger } from '@natter/runtime';
import { AuthClient } from '../bus/auth-client.ts';
import type { TranscriptPages } from '../bus/transcript-pages.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Presence } from '../cluster/presence.ts';
import { loadTestPage } from '../page/test-page.ts';
import type { SessionContext } from '../session/context.ts';
import { UserRates } from '../session/user-rates.ts';
import { apiKeyRoutes } from './api-key-routes.ts';
import { chatRoute } from './chat-route.ts';
import { clusterRoutes } from './cluster-routes.ts';
import { roomsRoutes } from './rooms-routes.ts';
import type { Route } from './route.ts';
import { serviceRoutes } from './service-routes.ts';
import { tokenRoutes } from './token-routes.ts';

export interface GatewayRouteDeps {
  bus: Bus;
  context: SessionContext;
  cluster: Cluster;
  presence: Presence;
  pages: TranscriptPages;
  log: Logger;
  now: () => number;
  notReady: () => string | null;
  connections: () => number;
  config: {
    authTimeoutMs: number;
    httpAnswerTimeoutMs: number;
    rateLimitRequests: number;
    rateLimitWindowSeconds: number;
  };
  stopping: AbortSignal;
}

export function gatewayRoutes(deps: GatewayRouteDeps): Route[] {
  const { bus, context, cluster, presence, pages, log, now, config, stopping } = deps;
  const { hub, turns, questions, rates, rooms } = context;
  const auth = new AuthClient(bus, config.authTimeoutMs);
  const requests = new UserRates(config.rateLimitRequests, config.rateLimitWindowSeconds, now);
  const { httpAnswerTimeoutMs: answerTimeoutMs } = config;
  return [
    ...serviceRoutes({ ...deps, auth, page: loadTestPage() }),
    ...tokenRoutes({ auth, log }),
    ...apiKeyRoutes({ auth, requests, log }),
    ...roomsRoutes({ auth, requests, log, rooms, transcripts: pages, presence }),
    ...clusterRoutes({ auth, requests, log, cluster }),
    chatRoute({ auth, hub, turns, questions, rates, log, now, answerTimeoutMs, stopping }),
  ];
}
