export {
  type Broker,
  BrokerError,
  type BrokerOptions,
  brokerConfig,
  findBroker,
  freePort,
  isFree,
  killWithParent,
  type ServiceName,
  serviceKeyFile,
  startBroker,
} from './broker/index.ts';
export { Bucket, type Entry } from './bus/bucket.ts';
export type { Bulk } from './bus/bulk/bulk.ts';
export { Slabs } from './bus/bulk/slabs.ts';
export {
  type Appended,
  type AppendOptions,
  Bus,
  type BusMessage,
  type Endpoint,
  type StreamState,
  type Subscription,
} from './bus/bus.ts';
export { compareAndSet, unlessConflict } from './bus/compare-and-set.ts';
export type { BusOptions } from './bus/connect.ts';
export { BusError, isBusError } from './bus/errors.ts';
export type { Delivery, Puller } from './bus/puller.ts';
export { whileUnavailable } from './bus/retry.ts';
export type { Stored, StreamReader } from './bus/stream-reader.ts';
export {
  ensureTopology,
  keepTopology,
  type TopologyOptions,
  TURN_ACK_WAIT_MS,
} from './bus/topology.ts';
export {
  BASE_SETTINGS,
  ConfigError,
  type ConfigOf,
  kinds,
  loadConfig,
  type Setting,
  type Settings,
  setting,
  unknownVariables,
} from './config/index.ts';
export { type InternalServer, startInternalServer } from './internal-server.ts';
export { createLogger, isSecretKey, type Logger, redactText } from './logger.ts';
export { broadcastLog } from './logs/broadcast-log.ts';
export { type LogMetrics, registerLogMetrics } from './logs/log-metrics.ts';
export { truncatedLine } from './logs/shipped-line.ts';
export { Metrics } from './metrics.ts';
export { http } from './node-http.ts';
export { type BaseConfig, type Running, runService, type ServiceDefinition } from './service.ts';
export { continueTrace, startTrace, TRACEPARENT, type Trace, traceparent } from './tracing.ts';
