/** All agents there are, each described by a file of its own. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Agent, parseAgentFile } from './agent-file.ts';
import { AgentFileError } from './agent-file-error.ts';

const MAX_AGENTS = 50;
const MAX_FILE_BYTES = 64 * 1024;

export interface AgentCatalogue {
  /** By name. */
  readonly agents: readonly Agent[];
  /** Those of them that a question can be routed to. */
  readonly routed: readonly Agent[];
  /** Answers what no other agent is for. */
  readonly fallback: Agent;
  get(name: string): Agent | undefined;
}

/**
 * Reads every `*.md` in `dir`.
 *
 * Throws AgentFileError, which names file and field, at the first one that can't be used:
 * a service that starts with half of its agents would answer with the wrong ones.
 */
export async function loadAgents(dir: string, toolNames: ReadonlySet<string>): Promise<AgentCatalogue> {
  const agents: Agent[] = [];
  for (const file of await agentFiles(dir)) {
    const agent = parseAgentFile(file, await read(file));
    for (const tool of agent.tools)
      if (!toolNames.has(tool))
        throw new AgentFileError(file, `tools: there is no ${tool}, only ${[...toolNames].join(', ')}`);
    if (agents.some(({ name }) => name === agent.name))
      throw new AgentFileError(file, `name: another file has the name ${agent.name} too`);
    agents.push(agent);
  }
  return createCatalogue(dir, agents);
}

/** Puts agents together; throws AgentFileError unless exactly one answers the rest. */
export function createCatalogue(dir: string, agents: Agent[]): AgentCatalogue {
  const byName = new Map(agents.map((agent) => [agent.name, agent]));
  const sorted = [...agents].sort((a, b) => (a.name < b.name ? -1 : 1));
  const routed = sorted.filter((agent) => agent.routed);
  const defaults = routed.filter(({ isDefault }) => isDefault);
  const fallback = routed.length === 1 ? routed[0] : defaults[0];
  if (fallback === undefined || defaults.length > 1)
    throw new AgentFileError(dir, `default: exactly one routed agent must have it, not ${defaults.length}`);
  return {
    agents: sorted,
    routed,
    fallback,
    get: (name) => byName.get(name),
  };
}

async function agentFiles(dir: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(dir);
  } catch (error) {
    throw new AgentFileError(dir, "the folder can't be read", error);
  }
  const files = names.filter((name) => name.endsWith('.md') && !name.startsWith('.')).sort();
  if (files.length === 0) throw new AgentFileError(dir, 'there is no *.md that describes an agent');
  if (files.length > MAX_AGENTS) throw new AgentFileError(dir, `more than ${MAX_AGENTS} agents`);
  return files.map((name) => join(dir, name));
}

async function read(file: string): Promise<string> {
  try {
    if ((await stat(file)).size > MAX_FILE_BYTES)
      throw new AgentFileError(file, `larger than ${MAX_FILE_BYTES / 1024} KiB`);
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    if (error instanceof AgentFileError) throw error;
    throw new AgentFileError(file, "can't be read as UTF-8 text", error);
  }
}
