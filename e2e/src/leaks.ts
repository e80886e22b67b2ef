/** Looks for canaries in everything that comes out of a stack. */
import { STREAMS, SUBJECTS } from '@natter/proto';
import { Bus, createLogger } from '@natter/runtime';
import { expect, vi } from 'vitest';
import type { Canaries } from './canaries.ts';
import { LOGS_WAIT } from './log-reading.ts';
import type { SecretStack } from './secret-stack.ts';

/** What a process keeps of its output: more would have been lost to the search. */
const KEPT_LINES = 2_000;
/** Service of lines that others publish by themselves: LOGS has them as they are. */
export const DIRECT = 'direct';

interface Output {
  where: string;
  text: string;
}

/** Fails with the lines where there is one. */
export async function expectNoLeak(rig: SecretStack): Promise<void> {
  const all = await output(rig);
  for (const { name, lines } of rig.services) expect([name, lines.length < KEPT_LINES]).toEqual([name, true]);
  expect(all.flatMap((one) => leaksIn(one, rig.canaries))).toEqual([]);
  const read = all.filter(({ where }) => where.startsWith('reader'));
  expect(read.flatMap((one) => leaksIn(one, rig.direct))).toEqual([]);
}

/** Some service has written a line with this in it: what a test means to provoke has happened. */
export function expectSaid(rig: SecretStack, ...texts: string[]): void {
  const said = rig.services.flatMap(({ lines }) => lines).join('\n');
  for (const text of texts) expect([text, said.includes(text)]).toEqual([text, true]);
}

function leaksIn({ where, text }: Output, canaries: Canaries): string[] {
  const found = canaries.in(text);
  if (found.length === 0) return [];
  const lines = text.split('\n').filter((line) => canaries.in(line).length > 0);
  return [`${where} has ${found.join(', ')}`, ...lines.slice(0, 5).map((line) => line.slice(0, 1_500))];
}

/** Once the lines that are written have reached LOGS and its readers. */
async function output(rig: SecretStack): Promise<Output[]> {
  const { services, readers, spy, stack, lastWords } = rig;
  const written = services.map(({ lines }) => lines.at(-1) ?? '');
  await vi.waitFor(async () => {
    const stored = new Set(await storedLines(rig));
    expect(written.filter((line) => !stored.has(line))).toEqual([]);
  }, LOGS_WAIT);
  const end = `all is said, ${crypto.randomUUID()}`;
  const headers = { authorization: `Bearer ${rig.logsKey}` };
  await spy.http({ name: 'the end', method: 'POST', path: '/api/logs', headers, body: { msg: end } });
  for (const reader of readers) await vi.waitFor(() => expect(reader.text()).toContain(end), LOGS_WAIT);
  const metrics = services.map(async ({ name, ports }) => {
    const response = await fetch(`http://127.0.0.1:${ports.internal}/metrics`);
    expect(response.status).toBe(200);
    return { where: `metrics of ${name}`, text: await response.text() };
  });
  return [
    ...[...services, stack.demo].map(({ name, lines }) => ({
      where: `output of ${name}`,
      text: lines.join('\n'),
    })),
    ...(await Promise.all(metrics)),
    ...readers.map((reader, at) => ({ where: `reader ${at}`, text: reader.text() })),
    { where: 'LOGS', text: (await storedLines(rig)).join('\n') },
    { where: 'answers', text: spy.heard.join('\n') },
    { where: 'other processes', text: lastWords.join('\n') },
  ];
}

/** All lines in LOGS but the direct ones. */
async function storedLines({ nats }: SecretStack): Promise<string[]> {
  const options = { url: nats.url, name: 'gateway', nkeyFile: nats.keyFile('gateway') };
  const bus = await Bus.connect(options, createLogger('test', 'silent'));
  try {
    const stored = await bus.stored.from(STREAMS.logs, SUBJECTS.allLogLines, 1, 100_000);
    const others = stored.filter(({ subject }) => !subject.startsWith(`log.${DIRECT}.`));
    return others.map(({ data }) => Buffer.from(data).toString());
  } finally {
    await bus.close();
  }
}
