/** Every HTTP route of the gateway. */
import type { Bus, Logger } from '@natter/runtime';
import { AuthClient } from '../bus/auth-client.ts';
import { LogAppender } from '../bus/logs/log-appender.ts';
import type { TranscriptPages } from '../bus/transcript-pages.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Presence } from '../cluster/presence.ts';
import { Origins } from '../edge/origins.ts';
import { loadTestPage } from '../page/test-page.ts';
import type { SessionContext } from '../session/context.ts';
import { UserRates } from '../session/user-rates.ts';
import { apiKeyRoutes } from './api-key-routes.ts';
import { chatRoute } from './chat-route.ts';
import { clusterRoutes } from './cluster-routes.ts';
import { fileRoutes } from './file-routes.ts';
import { logRoutes } from './log-routes.ts';
import { type LogStreamRouteDeps, logStreamRoutes } from './log-stream-route.ts';
import { roomsRoutes } from './rooms-routes.ts';
import type { Route } from './route.ts';
import { serviceRoutes } from './service-routes.ts';
import { tokenRoutes } from './token-routes.ts';
import { Transfers } from './transfers.ts';
import { uploadRoutes } from './upload-routes.ts';

export interface GatewayRouteDeps {
  bus: Bus;
  context: SessionContext;
  cluster: Cluster;
  presence: Presence;
  pages: TranscriptPages;
  logs: Omit<LogStreamRouteDeps, 'origins'>;
  log: Logger;
  now: () => number;
  notReady: () => string | null;
  connections: () => number;
  config: {
    authTimeoutMs: number;
    httpAnswerTimeoutMs: number;
    rateLimitRequests: number;
    rateLimitWindowSeconds: number;
    uploadFramesPerWindow: number;
    maxFileBytes: number;
    maxChunkBytes: number;
    allowedOrigins: readonly string[];
    env: string;
  };
  stopping: AbortSignal;
}

/** Files of one user that come in, and as many that go out; the memory of each is 2 to 16 MiB. */
const TRANSFERS_PER_USER = 16;

export function gatewayRoutes(deps: GatewayRouteDeps): Route[] {
  const { bus, context, cluster, presence, pages, logs, log, now, config, stopping } = deps;
  const { hub, turns, questions, rates, rooms, uploads, progress } = context;
  const auth = new AuthClient(bus, config.authTimeoutMs);
  const requests = new UserRates(config.rateLimitRequests, config.rateLimitWindowSeconds, now);
  const patches = new UserRates(config.uploadFramesPerWindow, config.rateLimitWindowSeconds, now);
  const origins = new Origins(config.allowedOrigins, config.env === 'development');
  const [bodies, downloads] = [new Transfers(TRANSFERS_PER_USER), new Transfers(TRANSFERS_PER_USER)];
  const { maxFileBytes, maxChunkBytes } = config;
  const files = { auth, requests, log, uploads, rooms, origins };
  const { httpAnswerTimeoutMs: answerTimeoutMs } = config;
  return [
    ...serviceRoutes({ ...deps, auth, page: loadTestPage() }),
    ...tokenRoutes({ auth, log }),
    ...apiKeyRoutes({ auth, requests, log }),
    ...roomsRoutes({ auth, requests, log, rooms, transcripts: pages, presence }),
    ...clusterRoutes({ auth, requests, log, cluster }),
    ...logRoutes({ auth, requests, log, cluster, now, lines: new LogAppender(bus, log, now) }),
    ...logStreamRoutes({ ...logs, origins }),
    ...uploadRoutes({ ...files, patches, bodies, rates, progress, maxFileBytes, maxChunkBytes }),
    ...fileRoutes({ ...files, downloads }),
    chatRoute({ auth, hub, turns, questions, rates, log, now, answerTimeoutMs, stopping }),
  ];
}
