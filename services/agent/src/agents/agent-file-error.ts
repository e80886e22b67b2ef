/** A description of an agent that can't be used; its message names the file and the field. */
export class AgentFileError extends Error {
  readonly code = 'AGENT_FILE';

  constructor(file: string, problem: string, cause?: unknown) {
    super(`${file}: ${problem}`, { cause });
    this.name = 'AgentFileError';
  }
}
