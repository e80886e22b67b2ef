import { describe, expect, it } from 'vitest';
import { restartBroker } from '../../src/simulate/broker-restart.ts';
import { parametersOf } from '../../src/simulate/parameters.ts';

const FLEET = {
  gateways: 10,
  connections: 1_000,
  gatewayCores: 1,
  authCores: 1,
  brokerCores: 1,
  connectMicros: 200,
  resumeMicros: 0,
  authMicros: 300,
  brokerMicros: 400,
  catchUpMicros: 0,
  watched: 1_600,
  zones: 2,
  gatewayBackground: 0,
  authBackground: 0,
  brokerBackground: 0,
  brokerDownMs: 0,
  busRoundTripMs: 1,
  repairsAtOnce: 16,
};

describe('gateways that look after their conversations', () => {
  it('take as many round trips as they have groups of what is looked after at once', () => {
    const { upToDate, conversations } = restartBroker(parametersOf(FLEET));
    expect(conversations).toBe(16_000);
    expect(upToDate.max).toBeCloseTo(0.1, 6);
  });

  it('take as long as the broker does for all of them', () => {
    const { upToDate, peaks } = restartBroker(parametersOf(FLEET, { catchUpMicros: 250 }));
    expect(upToDate.max).toBeCloseTo(4, 2);
    expect(peaks.broker).toBeCloseTo(1, 2);
  });

  it('take as long as a gateway does for its own', () => {
    const { upToDate } = restartBroker(parametersOf(FLEET, { resumeMicros: 1_000, brokerDownMs: 2_000 }));
    expect(upToDate.max).toBeCloseTo(2 + 1.6, 2);
  });
});
