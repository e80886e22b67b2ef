/** The knowledge folder can't be used. Its message is one sentence for whoever starts the service. */
export class KnowledgeError extends Error {
  readonly code = 'KNOWLEDGE';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'KnowledgeError';
  }
}
