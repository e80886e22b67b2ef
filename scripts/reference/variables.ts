/** Every environment variable, once, as the generated files show it. */
import type { Setting } from '@natter/runtime/config';
import { SETTINGS_GROUPS } from '../service-settings.ts';

export interface Variable {
  name: string;
  doc: string;
  /** As text; null when unset has no value. */
  fallback: string | null;
  /** The words for a computed default, or null. */
  fallbackDoc: string | null;
}

export interface VariableGroup {
  title: string;
  variables: Variable[];
}

/** Read by the scripts and tests, not by a service. */
const TOOL_VARIABLES: Variable[] = [
  {
    name: 'NATTER_ADMIN_TOKEN',
    doc: '`npm run apikey`: access token or API key of an admin. Unset: one is signed with the key in NATTER_DATA_DIR.',
    fallback: null,
    fallbackDoc: null,
  },
  {
    name: 'NATTER_REQUIRE_ALL',
    doc: 'Tests: 1 makes a test fail that would be skipped because the machine lacks Docker, a browser or a Python package.',
    fallback: null,
    fallbackDoc: null,
  },
];

/** Read by the demo model itself, which knows no runtime. */
const DEMO_MODEL_VARIABLES: Variable[] = [
  {
    name: 'DEMO_MODEL_TOKENS_PER_SECOND',
    doc: 'How fast the demo model answers. 0: as fast as it is read.',
    fallback: '60',
    fallbackDoc: null,
  },
  {
    name: 'DEMO_MODEL_FIRST_TOKEN_MS',
    doc: 'Milliseconds from a request to the first token of the demo model.',
    fallback: '250',
    fallbackDoc: null,
  },
];

/** A variable that two services read is listed where it comes first. */
export function variableGroups(): VariableGroup[] {
  const seen = new Set<string>();
  const groups = SETTINGS_GROUPS.map(({ title, settings }) => ({
    title,
    variables: Object.values(settings)
      .filter(({ env }) => !seen.has(env) && seen.add(env))
      .map(describe),
  }));
  return [
    ...groups,
    { title: 'Demo model', variables: DEMO_MODEL_VARIABLES },
    { title: 'Tools', variables: TOOL_VARIABLES },
  ];
}

// biome-ignore lint/suspicious/noExplicitAny: settings of every type
function describe(item: Setting<any>): Variable {
  const fallback = item.schema.safeParse(undefined);
  return {
    name: item.env,
    doc: item.doc,
    fallback: fallback.success ? asText(fallback.data) : null,
    fallbackDoc: item.defaultDoc ?? null,
  };
}

function asText(value: unknown): string | null {
  if (value === null || value === '') return null;
  if (Array.isArray(value)) return value.length === 0 ? null : value.join(',');
  return String(value);
}
