/** Whether a question is about a file as such, not about something in it. */
import type { RetrievalQuery } from './retrieval-query.ts';
import { contentWords } from './words.ts';

const FILE_WORDS = contentWords('file document attachment attached upload uploaded pdf docx csv spreadsheet');

/** "What does the document say?", and a follow-up of that. */
export function speaksOfFiles({ weights }: RetrievalQuery): boolean {
  return [...weights.keys()].some((word) => FILE_WORDS.has(word));
}
