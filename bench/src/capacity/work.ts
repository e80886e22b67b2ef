/** What one thing costs each tier, from what was measured. */
import type { UnitCosts } from './unit-costs.ts';

export interface Work {
  /** CPU microseconds. */
  connect: { gateway: number; auth: number };
  join: { gateway: number; auth: number; broker: number };
  resume: { gateway: number; auth: number; broker: number };
  token: { gateway: number; agent: number; broker: number };
  /** A message to a room: once, and for each who watches. */
  message: { once: number; each: number };
  /** Bytes of the gateway for each conversation that it watches. */
  conversationBytes: number;
}

export function workOf(costs: UnitCosts): Work {
  const connect = 1e6 / costs.connects;
  // Two sizes of room give the two parts: cost = each + once ÷ watchers.
  const [few, many] = [1e6 / costs.fewDeliveries, 1e6 / costs.manyDeliveries];
  const once = Math.max(0, (few - many) / (1 / 10 - 1 / 1_000));
  const each = Math.max(0, many - once / 1_000);
  return {
    connect: { gateway: connect, auth: costs.authDistinct },
    // A join was measured with tokens that were seen before; more than a connection in all of it.
    join: {
      gateway: Math.max(0, costs.joinGateway - connect),
      auth: Math.max(0, costs.joinAuth - costs.authReused),
      broker: costs.joinBroker,
    },
    resume: {
      gateway: Math.max(0, costs.resumeGateway - connect),
      auth: Math.max(0, costs.resumeAuth - costs.authReused),
      broker: costs.resumeBroker,
    },
    token: { gateway: costs.tokenGateway, agent: costs.tokenAgent, broker: costs.tokenBroker },
    message: { once, each },
    conversationBytes: Math.max(0, costs.roomObjects - costs.connectionObjects),
  };
}
