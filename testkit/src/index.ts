export { type FrozenClock, frozenClock } from './clock.ts';
export { type NatsServer, type NatsServerOptions, startNatsServer } from './nats-server.ts';
export { type Closed, type ConnectOptions, connect, type Frame, Probe, UpgradeRefused } from './probe.ts';
export { findChromium, needs, type Requirement } from './requirements.ts';
