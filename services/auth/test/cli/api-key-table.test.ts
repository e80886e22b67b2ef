import { expect, it } from 'vitest';
import { apiKeyTable } from '../../src/cli/api-key-table.ts';

const KEY = {
  id: 'abcdefghijklmno1',
  name: 'ci',
  scopes: ['logs:read' as const, 'logs:write' as const],
  created_at: '2026-01-01T00:00:00.000Z',
  expires_at: null,
};

it('lines the columns up', () => {
  const other = { ...KEY, name: 'a longer name', scopes: [], expires_at: '2027-01-01T00:00:00.000Z' };
  expect(apiKeyTable([KEY, other])).toBe(`\
ID                NAME           SCOPES                CREATED                   EXPIRES
abcdefghijklmno1  ci             logs:read logs:write  2026-01-01T00:00:00.000Z  never
abcdefghijklmno1  a longer name                        2026-01-01T00:00:00.000Z  2027-01-01T00:00:00.000Z
`);
});

it('shows a name that would write to the terminal as text', () => {
  const table = apiKeyTable([{ ...KEY, name: '\u001b[2Jx\r\ny\u202e' }]);
  expect(table).toContain('?[2Jx??y?');
  expect(table.split('\n')).toHaveLength(3);
});
