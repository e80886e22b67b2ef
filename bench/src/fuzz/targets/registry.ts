/** All that is fuzzed, by name. */
import { DIALECTS } from '../../../../services/gateway/src/dialects/registry.ts';
import { dialectTarget } from './dialect-target.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { headerTarget } from './header-target.ts';
import { logsTarget } from './logs-target.ts';
import { upgradeTarget } from './upgrade-target.ts';

/** The wires of frames; `fastchat-v1` has two paths and one codec. */
export const DIALECT_NAMES = ['fastchat-v1', 'chat-v1', 'session-v1', 'logs-v1', 'rooms-v1'] as const;
/** Other readers of what strangers write. */
export const READER_NAMES = ['upgrade requests', 'cursors and headers'] as const;

export function fuzzTarget(name: string): FuzzTarget {
  const other = [logsTarget, upgradeTarget, headerTarget].find((target) => target.name === name);
  if (other !== undefined) return other;
  const dialect = DIALECTS.find((one) => one.name === name || one.name === `${name}-user`);
  if (dialect === undefined) throw new Error(`nothing is called ${name}`);
  return dialectTarget(name, dialect);
}
