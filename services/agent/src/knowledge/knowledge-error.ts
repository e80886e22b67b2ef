/** Knowledge can't be read: the folder when the service starts, or a conversation's files. */
export class KnowledgeError extends Error {
  readonly code = 'KNOWLEDGE';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'KnowledgeError';
  }
}
