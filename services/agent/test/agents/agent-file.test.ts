import { describe, expect, it } from 'vitest';
import { parseAgentFile } from '../../src/agents/agent-file.ts';

const file = (front: string, body = 'You help.') => `---\n${front}\n---\n${body}\n`;
const MINIMAL = 'name: tides\ndescription: High and low water.';

describe('parseAgentFile', () => {
  it('needs a name, a description and a prompt', () => {
    expect(parseAgentFile('a.md', file(MINIMAL))).toEqual({
      name: 'tides',
      description: 'High and low water.',
      examples: [],
      tools: [],
      knowledge: { folders: null },
      temperature: undefined,
      maxTokens: undefined,
      isDefault: false,
      routed: true,
      prompt: 'You help.',
    });
  });

  it('reads every field', () => {
    const front = `${MINIMAL}\nexamples: [When is high water?]\ntools: [find]\nknowledge:\n  folders: [/sea/, ./moon]\ntemperature: 0.5\nmax_tokens: 10\ndefault: true\nrouted: false`;
    expect(parseAgentFile('a.md', file(front))).toMatchObject({
      examples: ['When is high water?'],
      tools: ['find'],
      knowledge: { folders: ['sea', 'moon'] },
      temperature: 0.5,
      maxTokens: 10,
      isDefault: true,
      routed: false,
    });
  });

  it('reads files written on Windows', () => {
    expect(parseAgentFile('a.md', file(MINIMAL).replaceAll('\n', '\r\n')).name).toBe('tides');
  });

  it.each([
    ['no front matter', 'You help.', 'front matter'],
    ['front matter that is no YAML', file('name: [a'), 'YAML'],
    ['front matter that is a list', file('- a'), 'front matter'],
    ['a missing name', file('description: x'), 'name'],
    ['a name with capitals', file('name: Tides\ndescription: x'), 'name'],
    ['a description of two lines', file('name: a\ndescription: "x\\ny"'), 'description'],
    ['an unknown field', file(`${MINIMAL}\ntemprature: 1`), 'temprature'],
    ['a wrong type', file(`${MINIMAL}\ntemperature: hot`), 'temperature'],
    ['an unknown field of a field', file(`${MINIMAL}\nknowledge:\n  tags: [a]`), 'knowledge'],
    ['a folder that is none', file(`${MINIMAL}\nknowledge:\n  folders: [/]`), 'knowledge.folders.0'],
    ['YAML aliases', file(`${MINIMAL}\nexamples: &a [x]\ntools: *a`), 'YAML'],
    ['an empty prompt', file(MINIMAL, ' '), 'prompt'],
  ])('refuses %s and names file and field', (_name, text, field) => {
    expect(() => parseAgentFile('dir/a.md', text)).toThrow(
      expect.objectContaining({
        code: 'AGENT_FILE',
        message: expect.stringMatching(`^dir/a.md: .*${field}`),
      }),
    );
  });
});
