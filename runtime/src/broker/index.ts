/** A broker as a child process; without the client, so that `npm start` begins quickly. */
export { findBroker } from './binary.ts';
export { type Broker, BrokerError, type BrokerOptions, startBroker } from './broker.ts';
export { brokerConfig } from './config.ts';
export { freePort, isFree } from './free-port.ts';
export { killWithParent } from './kill-with-parent.ts';
export { type ServiceName, serviceKeyFile } from './service-users.ts';
