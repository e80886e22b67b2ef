/** Every command and program of the README, run as written; see src/reader.ts for what differs. */
import { needs } from '@natter/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ANSWER_MS } from '../src/chat.ts';
import { type Command, Reader } from '../src/reader.ts';
import { type CodeBlock, readmeBlocks } from '../src/readme.ts';
import { codeBelow } from '../src/seed-document.ts';

const START_MS = 60_000;
const blocks = readmeBlocks();
const below = (heading: string, language: string) =>
  blocks.filter((block) => block.heading === heading && block.language === language);

/** Not run here: these two run the tests, this one among them, and take minutes. `.ci/run` runs both. */
const LEFT_OUT = ['npm test\n', 'npm run check\n'];
const run = new Set<CodeBlock>();

const reader = new Reader();
let stack: Command;

function only(heading: string, language: string): CodeBlock {
  const [block, more] = below(heading, language);
  if (block === undefined || more !== undefined)
    throw new Error(`the README must have one block of ${language} below ${heading}`);
  return block;
}

function follow(block: CodeBlock): Command {
  run.add(block);
  return reader.run(block);
}

/** Runs a block to its end and returns what it printed. */
async function output(block: CodeBlock): Promise<string> {
  const command = follow(block);
  expect(await command.ended, command.complained()).toBe(0);
  return command.printed();
}

async function start(): Promise<void> {
  const [block] = below('Natter', 'sh');
  if (block === undefined) throw new Error('the README does not say how to start');
  stack = follow(block);
  await vi.waitFor(
    () => {
      if (!/^ {2}model .*$/m.test(stack.printed())) throw new Error(stack.printed() + stack.complained());
    },
    { timeout: START_MS },
  );
  reader.port = Number(/ready on http:\/\/localhost:(\d+)/.exec(stack.printed())?.[1]);
}

/** Asks over HTTP with the README's own command, the question replaced. */
async function ask(question: string) {
  const [{ text }] = below('Over HTTP', 'sh') as [CodeBlock];
  const command = reader.run({ text: text.replace('What is the engine power?', question) });
  expect(await command.ended, command.complained()).toBe(0);
  return JSON.parse(command.printed());
}

beforeAll(start, START_MS);
afterAll(() => reader.leave(), START_MS);
beforeEach(({ onTestFailed }) => onTestFailed(() => void process.stderr.write(stack.complained())));

describe('the README', () => {
  it('[docs/readme-commands] begins with npm start and npm test', () => {
    expect(blocks.slice(0, 2).map(({ text }) => text)).toEqual(['npm start\n', 'npm test\n']);
  });

  it('[docs/readme-commands] shows what npm start prints', () => {
    expect(stack.printed()).toContain(reader.adapted(only('Natter', 'text').text));
  });

  it('[docs/readme-commands] prints a token', async () => {
    expect(await output(only('Ask a question', 'sh'))).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });

  it('[docs/readme-clients] runs the seed’s JavaScript client, unchanged, and shows what it prints', async () => {
    const [client, page] = below('From JavaScript', 'javascript');
    if (client === undefined || page === undefined) throw new Error('a block is missing');
    expect(client.text).toBe(codeBelow('JavaScript Client Example'));
    reader.save(client);
    reader.save(page);
    const running = follow(only('From JavaScript', 'sh'));
    await expect
      .poll(() => running.printed() + running.complained(), { timeout: ANSWER_MS })
      .toMatch(/^Confidence: 1$/m);
    expect(running.printed()).toContain(only('From JavaScript', 'text').text);
    expect(running.printed()).toMatch(/^Agent: specs$/m);
    running.interrupt();
    await running.ended;
  });

  it('[docs/readme-clients] runs the seed’s Python client, unchanged', async ({ skip }) => {
    const why = needs('python-websockets');
    skip(why !== null, why ?? '');
    const client = only('From Python', 'python');
    expect(client.text).toBe(codeBelow('Python Client Example'));
    reader.save(client);
    expect(await output(only('From Python', 'sh'))).toMatch(
      /^Authenticated!\n[\s\S]*132 kW[\s\S]*\n\nComplete!\nResponse: .*132 kW[\s\S]*\nAgent: specs\n$/,
    );
  });

  it('[docs/readme-commands] asks over HTTP', async () => {
    const [chat, health] = below('Over HTTP', 'sh');
    if (chat === undefined || health === undefined) throw new Error('a block is missing');
    expect(JSON.parse(await output(chat))).toMatchObject({
      response: expect.stringContaining('132 kW'),
      session_id: 'my-car',
    });
    expect(JSON.parse(await output(health))).toMatchObject({ status: 'healthy' });
  });

  it('[docs/readme-commands] uploads a file, and is answered from it', async () => {
    const [upload, question] = below('Ask about a file', 'sh');
    if (upload === undefined || question === undefined) throw new Error('a block is missing');
    expect(await output(upload)).toContain('The bike carrier may carry 60 kg.\n');
    await expect
      .poll(async () => JSON.parse(await output(question)), { timeout: ANSWER_MS, interval: 500 })
      .toMatchObject({
        response: expect.stringContaining('60 kg'),
        metadata: { context: { sources: ['carrier.txt'] } },
      });
  });

  it('[docs/readme-commands] follows the logs, by event stream and in a terminal', async () => {
    const [terminal, stream] = below('Follow the logs', 'sh');
    if (terminal === undefined || stream === undefined) throw new Error('a block is missing');
    const events = follow(stream);
    // curl's own code for the time limit that ends it.
    expect(await events.ended, events.complained()).toBe(28);
    expect(events.printed()).toContain('data: {"log":"Deployed"}\n');
    const warn = stream.text
      .replace(/\ncurl -sN[^\n]*/, '')
      .replace(
        '?message=Deployed"',
        '" -H "Content-Type: application/json" -d \'{"message":"Look","level":"warn"}\'',
      );
    const warned = reader.run({ text: warn });
    expect(await warned.ended, warned.complained()).toBe(0);
    const lines = follow(terminal);
    await expect.poll(() => lines.printed(), { timeout: START_MS }).toMatch(/WARN +Look/);
    expect(lines.printed()).not.toContain('Deployed');
    lines.interrupt();
    await lines.ended;
  });

  it('[docs/readme-extend] adds knowledge to a running agent', async () => {
    await output(only('Give it your knowledge', 'sh'));
    await expect
      .poll(() => ask('How many litres does the roof box hold?'), { timeout: ANSWER_MS, interval: 500 })
      .toMatchObject({
        response: expect.stringContaining('430 litres'),
        metadata: { context: { sources: ['specs/roof-box.md'] } },
      });
  });

  it('[docs/readme-extend] adds an agent, which answers after the next start; data outlives the stop', async () => {
    await output(only('Add an agent', 'sh'));
    stack.interrupt();
    await stack.ended;
    await start();
    const { metadata } = await ask('Which roof box fits?');
    expect(metadata).toMatchObject({ agent: 'accessories', context: { sources: ['specs/roof-box.md'] } });
    const { response } = await ask('What was my first question?');
    expect(response).toContain('What is the engine power?');
  });

  it('[docs/readme-commands] has no command that is not run here', ({ skip }) => {
    skip(needs('python-websockets') !== null, 'the Python client was not run');
    const left = blocks.filter((block) => block.language === 'sh' && !run.has(block));
    expect(left.map(({ text }) => text)).toEqual(LEFT_OUT);
  });
});
