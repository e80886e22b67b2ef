/** The frames of logs-v1. */
import { logsV1 } from '../../../../services/gateway/src/dialects/logs-v1/codec.ts';
import type { LogFrame } from '../../../../services/gateway/src/session/logs/log-wire.ts';
import { commandProblem } from '../command-problem.ts';
import { goldenFrames } from '../golden-frames.ts';
import type { FuzzTarget } from './fuzz-target.ts';

export const logsTarget: FuzzTarget = {
  name: 'logs-v1',
  seeds: goldenFrames('logs-v1'),
  read: (bytes, isBinary) => logsV1.decode(bytes, isBinary),
  problem(result, bytes) {
    const frame = result as LogFrame;
    if (!frame.ok) return commandProblem(frame, bytes.length);
    return Number.isSafeInteger(frame.ack) && frame.ack > 0 ? null : `acknowledges ${frame.ack}`;
  },
};
