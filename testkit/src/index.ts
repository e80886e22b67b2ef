export { type FrozenClock, frozenClock } from './clock.ts';
export { type NatsContainer, startNatsContainer } from './nats-container.ts';
export { type NatsServer, type NatsServerOptions, startNatsServer } from './nats-server.ts';
export { type Closed, type ConnectOptions, connect, type Frame, Probe, UpgradeRefused } from './probe.ts';
export { findChromium, needs, type Requirement } from './requirements.ts';
export { type Exit, type ServiceOptions, ServiceProcess } from './service-process.ts';
export { type Stack, type StackOptions, startStack } from './stack.ts';
export type { TokenClaims } from './token-issuer.ts';
