/** The first mistake of a zod error, in the words of an OpenAI error. */
import type { z } from 'zod';

export function describeIssue(error: z.ZodError): { message: string; param: string | null } {
  const issue = error.issues[0];
  if (issue === undefined || issue.path.length === 0)
    return { message: issue?.message ?? 'Invalid request.', param: null };
  const param = issue.path
    .map((key, at) => (typeof key === 'number' ? `[${key}]` : `${at === 0 ? '' : '.'}${String(key)}`))
    .join('')
    .slice(0, 200);
  return { message: `Invalid value for '${param}': ${issue.message}`.slice(0, 500), param };
}
