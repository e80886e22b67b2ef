/**
 * What the stack must do, as data: a statement, where it is demanded, and the tests that show it.
 *
 * A test cites a requirement by its id at the beginning of its name: `[chat-v1/auth-query] …`.
 * `test/requirements.test.ts` fails when a requirement is cited by no test, or a test cites none
 * that is listed here. docs/reference/conformance.md shows all of it.
 */
import { ISSUE_2 } from './issue-2.ts';
import { ISSUE_3 } from './issue-3.ts';
import { ISSUE_4 } from './issue-4.ts';
import { ISSUE_5 } from './issue-5.ts';
import { PROTOCOLS } from './protocols.ts';
import { PROTOCOLS_LOGS } from './protocols-logs.ts';
import { PROTOCOLS_WIRES } from './protocols-wires.ts';
import type { Aside, Requirements, SeedName } from './requirement.ts';
import { ASIDE_000, SEEDS_000 } from './seeds-000.ts';
import { ASIDE_001, SEEDS_001 } from './seeds-001.ts';
import { ASIDE_002, SEEDS_002 } from './seeds-002.ts';
import { ASIDE_003, SEEDS_003 } from './seeds-003.ts';
import { ASIDE_004, SEEDS_004 } from './seeds-004.ts';

/** Each file beside this one, by the name that PENDING uses. */
export const DOCUMENTS = {
  'seeds/000': SEEDS_000,
  'seeds/001': SEEDS_001,
  'seeds/002': SEEDS_002,
  'seeds/003': SEEDS_003,
  'seeds/004': SEEDS_004,
  PROTOCOLS: PROTOCOLS,
  'PROTOCOLS, three wires': PROTOCOLS_WIRES,
  'PROTOCOLS, logs and files': PROTOCOLS_LOGS,
  'issue 2': ISSUE_2,
  'issue 3': ISSUE_3,
  'issue 4': ISSUE_4,
  'issue 5': ISSUE_5,
} as const satisfies Record<string, Requirements>;
export type DocumentName = keyof typeof DOCUMENTS;

/** Documents being built: their rows are listed and may be cited, but need not be yet. */
export const PENDING: readonly DocumentName[] = [];

/** Lines set aside; every other line of a seed that says something is one of a requirement. */
export const ASIDES: Record<SeedName, readonly Aside[]> = {
  '000': ASIDE_000,
  '001': ASIDE_001,
  '002': ASIDE_002,
  '003': ASIDE_003,
  '004': ASIDE_004,
};

/** All of them by id. */
export const REQUIREMENTS: Requirements = Object.assign({}, ...Object.values(DOCUMENTS));

/** Ids that a test must cite now. */
export function dueIds(pending: readonly DocumentName[] = PENDING): string[] {
  return (Object.keys(DOCUMENTS) as DocumentName[])
    .filter((name) => !pending.includes(name))
    .flatMap((name) => Object.entries(DOCUMENTS[name] as Requirements))
    .map(([id]) => id);
}
