/** The life of a process, without the bus: what a parent of others needs, and not 20 MB more. */
export { freePort, isFree } from './broker/free-port.ts';
export { killWithParent } from './broker/kill-with-parent.ts';
export { type InternalServer, startInternalServer } from './internal-server.ts';
export type { Logger } from './logger.ts';
export { Metrics } from './metrics.ts';
export { http } from './node-http.ts';
export { type BaseConfig, type Running, runService } from './service.ts';
