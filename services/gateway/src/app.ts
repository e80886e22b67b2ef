/** Puts the gateway together. */
import {
  type BaseConfig,
  Bus,
  type ConfigOf,
  type Logger,
  Metrics,
  type Running,
  startInternalServer,
} from '@natter/runtime';
import { AuthClient } from './bus/auth-client.ts';
import { Readiness } from './bus/readiness.ts';
import { RunHub } from './bus/run-hub.ts';
import { TurnStore } from './bus/turn-store.ts';
import type { GATEWAY_SETTINGS } from './config.ts';
import { DIALECTS } from './dialects/registry.ts';
import { Edge } from './edge/server.ts';
import { registerGatewayMetrics } from './metrics.ts';
import { loadTestPage } from './page/test-page.ts';
import { chatRoute } from './rest/chat-route.ts';
import { serviceRoutes } from './rest/service-routes.ts';
import { Counted } from './session/counted.ts';
import type { SessionContext } from './session/session.ts';
import { UserRates } from './session/user-rates.ts';

export type GatewayConfig = ConfigOf<typeof GATEWAY_SETTINGS> & BaseConfig;

/** Starts a gateway; rejects when the broker can't be reached or the port is taken. */
export async function startGateway(config: GatewayConfig, log: Logger): Promise<Running> {
  const metrics = new Metrics('gateway');
  const counters = registerGatewayMetrics(metrics, {
    connections: () => edge.connections,
    runs: () => hub.size,
  });
  const bus = await Bus.connect({ url: config.natsUrl, name: 'gateway', nkeyFile: config.natsNkeyFile }, log);

  const auth = new AuthClient(bus, config.authTimeoutMs);
  const hub = new RunHub(bus, log, Date.now);
  const turns = new TurnStore(bus, config.storeTimeoutMs);
  const users = new Counted(config.maxConnectionsPerUser);
  const questions = new UserRates(config.rateLimitRequests, config.rateLimitWindowSeconds, Date.now);
  const stopping = new AbortController();
  const context: SessionContext = {
    auth,
    hub,
    turns,
    questions,
    metrics: counters,
    limits: config,
    log,
    now: Date.now,
    admitUser: (sub) => users.add(sub),
    releaseUser: (sub) => users.remove(sub),
  };
  const readiness = new Readiness(bus);
  const notReady = () => (edge.draining ? 'shutting down' : readiness.missing());
  const routes = [
    ...serviceRoutes({
      bus,
      auth,
      page: loadTestPage(),
      log,
      notReady,
      connections: () => edge.connections,
      now: Date.now,
    }),
    chatRoute({
      auth,
      hub,
      turns,
      rates: questions,
      log,
      now: Date.now,
      answerTimeoutMs: config.httpAnswerTimeoutMs,
      stopping: stopping.signal,
    }),
  ];
  const edge = new Edge(
    { ...config, localhostAllowed: config.env === 'development' },
    { dialects: DIALECTS, routes, context, metrics: counters, log },
  );

  const internal = await startInternalServer({
    host: config.internalHost,
    port: config.internalPort,
    metrics,
    notReady,
  });
  const port = await edge.listen();
  void readiness.waitForStreams(stopping.signal);
  const ticking = setInterval(() => edge.tick(Date.now()), 1_000);
  const checking = setInterval(() => hub.checkSilent(), 5_000);

  return {
    ports: { http: port, internal: internal.port },
    async stop() {
      stopping.abort();
      clearInterval(ticking);
      clearInterval(checking);
      await edge.drain(config.drainMs);
      await bus.close();
      await internal.close();
    },
  };
}
