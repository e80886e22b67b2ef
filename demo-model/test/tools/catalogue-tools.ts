/** The tools of an agent that explores a data catalogue, as a request carries them. */
const tool = (name: string, description: string, parameter: string, about: string) => ({
  type: 'function' as const,
  function: {
    name,
    description,
    parameters: {
      type: 'object',
      properties: { [parameter]: { type: 'string', description: about } },
      required: [parameter],
    },
  },
});

export const CATALOGUE_TOOLS = [
  {
    type: 'function' as const,
    function: {
      name: 'list_tables',
      description: 'Lists the tables of the data catalogue with their types.',
      parameters: {
        type: 'object',
        properties: { type: { type: 'string', enum: ['FACT', 'DIMENSION'] }, after: { type: 'string' } },
      },
    },
  },
  tool('describe_table', 'The description, owner and columns of one table.', 'table', 'Name of the table.'),
  tool(
    'search_tables',
    'Finds tables by words in their names, columns and descriptions.',
    'query',
    'What to look for.',
  ),
  tool(
    'table_lineage',
    'The lineage of one table: the tables it comes from (upstream), and those that depend on it (downstream).',
    'table',
    'Name of the table.',
  ),
];
