/** Puts the gateway together. */
import { SUBJECTS } from '@natter/proto';
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
import { ConversationHub } from './bus/conversation-hub.ts';
import { MessageStore } from './bus/message-store.ts';
import { Positions } from './bus/positions.ts';
import { RateStore } from './bus/rate-store.ts';
import { Readiness } from './bus/readiness.ts';
import { RoomsClient } from './bus/rooms-client.ts';
import { TurnStore } from './bus/turn-store.ts';
import { UploadsClient } from './bus/uploads-client.ts';
import { UserChannel } from './bus/user-channel.ts';
import { answerGateways } from './cluster/answer-gateways.ts';
import { Cluster } from './cluster/cluster.ts';
import { Presence } from './cluster/presence.ts';
import type { GATEWAY_SETTINGS } from './config.ts';
import { logsV1 } from './dialects/logs-v1/codec.ts';
import { DIALECTS } from './dialects/registry.ts';
import { Edge } from './edge/server.ts';
import { registerGatewayMetrics } from './metrics.ts';
import type { ParentLink } from './processes/parent-link.ts';
import { gatewayRoutes } from './rest/gateway-routes.ts';
import { chatSockets } from './session/chat-sockets.ts';
import type { SessionContext } from './session/context.ts';
import { Counted } from './session/counted.ts';
import { logReaders } from './session/logs/log-readers.ts';
import { ProgressFrames } from './session/progress-frames.ts';
import { RoomsHere } from './session/rooms-here.ts';
import { SessionRegistry } from './session/session-registry.ts';
import { TypingFrames } from './session/typing-frames.ts';
import { logUploadFailure } from './session/upload-failures.ts';
import { UserRates } from './session/user-rates.ts';

export type GatewayConfig = ConfigOf<typeof GATEWAY_SETTINGS> & BaseConfig;

/**
 * Starts a gateway; rejects when the broker can't be reached or the port is taken.
 *
 * With a `parent` it is one of several processes on the port.
 */
export async function startGateway(
  config: GatewayConfig,
  log: Logger,
  parent: ParentLink | null = null,
): Promise<Running> {
  const now = Date.now;
  const metrics = new Metrics('gateway');
  const counters = registerGatewayMetrics(metrics, {
    connections: () => edge.connections,
    runs: () => hub.size,
    setAside: () => hub.setAside,
    logReaders: () => logs.hub.readers,
    logFeeds: () => logs.hub.feeds,
  });
  const bus = await Bus.connect({ url: config.natsUrl, name: 'gateway', nkeyFile: config.natsNkeyFile }, log);

  const cluster = new Cluster(bus, log, now);
  const presence = new Presence(cluster, bus, log, now);
  const rooms = new RoomsClient(bus, config.authTimeoutMs);
  const roomsHere = new RoomsHere({
    presence,
    rooms,
    announce: (conversation, { type, sub, name }) =>
      hub.find(conversation)?.announce({ type: type === 'came' ? 'member.came' : 'member.went', sub, name }),
    log,
  });
  const sessions = new SessionRegistry(roomsHere, now);
  const { softBufferBytes } = config;
  const topics = { publish: (topic: string, frame: string) => edge.publish(topic, frame) };
  const hub = new ConversationHub({ bus, topics, rooms: roomsHere, log, now, softBufferBytes });
  const users = new Counted(config.maxConnectionsPerUser);
  const positions = new Positions(bus, log);
  const typing = new TypingFrames({
    publish: (conversation, event) => bus.publish(SUBJECTS.liveOut(conversation), JSON.stringify(event)),
    now,
  });
  const uploads = new UploadsClient(bus, {
    timeoutMs: config.storeTimeoutMs,
    finalizeTimeoutMs: config.finalizeTimeoutMs,
    now,
    onFailure: (error) => logUploadFailure(log, now(), error, 'settle'),
  });
  const context: SessionContext = {
    auth: new AuthClient(bus, config.authTimeoutMs),
    hub,
    turns: new TurnStore(bus, hub.reader, config.storeTimeoutMs),
    messages: new MessageStore(bus, config.storeTimeoutMs),
    rooms,
    roomsHere,
    presence,
    positions,
    users: new UserChannel(bus),
    questions: new UserRates(config.rateLimitRequests, config.rateLimitWindowSeconds, now),
    // A user's connections may all come back at once, as after a restart of their gateway.
    arrivals: new UserRates(config.maxConnectionsPerUser, config.rateLimitWindowSeconds, now),
    rates: new RateStore(bus, config.rateLimitWindowSeconds, now),
    setTyping: (conversation, sub, isTyping) => sessions.setTyping(conversation, sub, isTyping),
    typing,
    uploads,
    progress: new ProgressFrames({
      publish: (conversation, event) => bus.publish(SUBJECTS.liveOut(conversation), JSON.stringify(event)),
      isLarge: (conversation) => roomsHere.isLarge(conversation),
      now,
    }),
    metrics: counters,
    limits: {
      ...config,
      anonymousSessions: config.anonymousSessions ?? config.env === 'development',
    },
    log,
    now,
    admitUser: (sub) => users.add(sub),
    releaseUser: (sub) => users.remove(sub),
  };
  const { auth } = context;
  const logs = logReaders({ bus, auth, topics, wire: logsV1, users, metrics: counters, log, now, config });
  const stopping = new AbortController();
  const readiness = new Readiness(bus);
  const notReady = () => (edge.draining ? 'shutting down' : readiness.missing());
  const routes = gatewayRoutes({
    bus,
    context,
    cluster,
    presence,
    pages: hub.pages,
    logs,
    log,
    now,
    notReady,
    connections: () => edge.connections,
    config,
    stopping: stopping.signal,
  });
  const sockets = chatSockets(DIALECTS, context, sessions, config);
  const edge = new Edge(
    { ...config, sharePort: parent !== null, localhostAllowed: config.env === 'development' },
    { sockets: [...sockets, logs.socketRoute], routes, metrics: counters, log },
  );
  parent?.onShare((maxConnections) => edge.setMaxConnections(maxConnections));
  answerGateways(cluster, presence, sessions, logs.sockets);
  bus.onReconnect(() => resumeRooms(bus, roomsHere, hub));

  const internal = await startInternalServer({
    host: config.internalHost,
    port: config.internalPort,
    metrics,
    notReady,
  });
  // Not waited for: what is asked before the others have answered is asked again.
  void cluster.start();
  const port = await edge.listen();
  void readiness.waitForStreams(stopping.signal);
  const timers = [
    setInterval(() => {
      parent?.report(edge.connections);
      edge.tick(now());
      cluster.tick();
      presence.tick();
      typing.tick();
      logs.tick(now());
    }, 1_000),
    setInterval(() => hub.setAsideSlow(), 100),
    setInterval(() => logs.hub.checkSlow(), 100),
    setInterval(() => hub.checkSilent(), 5_000),
    setInterval(() => sessions.cleanUp(), config.cleanupSeconds * 1_000),
  ];

  return {
    bus,
    metrics,
    ports: { http: port, internal: internal.port },
    async stop() {
      stopping.abort();
      await edge.drain(Math.min(config.drainMs, config.shutdownTimeoutMs * DRAIN_SHARE));
      for (const timer of timers) clearInterval(timer);
      cluster.stop();
      // Else what members have seen would wait for them once more.
      await Promise.all([positions.settled(), logs.settled(), uploads.settled()]);
      await bus.close();
      await internal.close();
    },
  };
}

/** Of the time a stop may take; the rest is for what is under way. */
const DRAIN_SHARE = 0.8;

/** How long to wait before members are checked once more. */
const RECHECK_MS = 500;

/** After the broker was away: nothing of a room is sent before it is known who may still be in it. */
async function resumeRooms(bus: Bus, roomsHere: RoomsHere, hub: ConversationHub): Promise<void> {
  while (bus.connected) {
    if (await roomsHere.recheck()) return hub.resumeRooms();
    await new Promise((resolve) => setTimeout(resolve, RECHECK_MS));
  }
}
