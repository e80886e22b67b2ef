/** Names and contents of files, as the rest of the service asks for them. */
import type { Kinds } from '../ports.ts';
import { allowedName } from './allowed-name.ts';
import { KindCheck } from './kind-check.ts';
import { safeFileName } from './safe-file-name.ts';

export const kinds: Kinds = { safeFileName, allowedName, judge: (name) => new KindCheck(name) };
