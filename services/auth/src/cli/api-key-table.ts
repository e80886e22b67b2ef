/** API keys as a table for a terminal. */
import type { ListedKey } from './api-keys-client.ts';

const HEAD = ['ID', 'NAME', 'SCOPES', 'CREATED', 'EXPIRES'];

/** Lines of one width for each column; a name can't move the cursor or colour the terminal. */
export function apiKeyTable(keys: readonly ListedKey[]): string {
  const rows = keys.map(({ id, name, scopes, created_at, expires_at }) => [
    id,
    name,
    scopes.join(' '),
    created_at,
    expires_at ?? 'never',
  ]);
  const lines = [HEAD, ...rows].map((row) =>
    row.map((cell) => cell.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')),
  );
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const padded = (line: string[]) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0));
  return lines.map((line) => `${padded(line).join('  ').trimEnd()}\n`).join('');
}
