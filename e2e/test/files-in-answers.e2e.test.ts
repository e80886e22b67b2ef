/** A conversation is asked about its files: from upload over extraction to the answer. */
import { docxOf, type Frame, pdfOf, type Stack, startStack, zipArchive } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANSWER_MS, ask as askChat, openChat } from '../src/chat.ts';
import { reportFailures } from '../src/report-failures.ts';
import { ask as askRoom, join, openRooms } from '../src/rooms-chat.ts';
import { shareFile } from '../src/share-file.ts';

let stack: Stack;
let alice: string;
let bob: string;

beforeAll(async () => {
  // A text is there a moment after its file, so that some questions are asked often.
  const env = { WS_RATE_LIMIT_REQUESTS: '10000' };
  stack = await startStack({ gateways: 2, uploads: 1, env, demo: { tokensPerSecond: 0 } });
  alice = await stack.token({ sub: 'alice', name: 'Alice' });
  bob = await stack.token({ sub: 'bob', name: 'Bob' });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const bytes = (text: string) => Buffer.from(text);

/** The whole answer, and the files it rests on. */
interface Found {
  text: string;
  sources: string[];
}

async function ask(message: string, session_id: string, token = alice): Promise<Found> {
  const probe = await openChat(stack.url(1), token);
  const { end } = await askChat(probe, { message, session_id });
  probe.close();
  return foundIn(end);
}

function foundIn(end: Frame): Found {
  expect(end).toMatchObject({ type: 'complete' });
  return { text: end.response, sources: end.metadata.context.sources };
}

/** Asks until the answer rests on this file; the texts of files are extracted behind their uploads. */
async function askUntilFrom(name: string, message: string, session: string): Promise<Found> {
  const until = performance.now() + ANSWER_MS;
  for (;;) {
    const found = await ask(message, session);
    if (found.sources.includes(name)) return found;
    if (performance.now() > until) throw new Error(`no answer from ${name}: ${JSON.stringify(found)}`);
  }
}

// Short enough for a line of the PDF: what is beside its page is no text of it.
const LOCKER = 'The winter tyres lie in locker seventeen.';
const WHERE = 'In which locker are the winter tyres?';

describe('a conversation with files', () => {
  it.each<[string, Uint8Array]>([
    ['notes.txt', bytes(`Monday.\n${LOCKER}\n`)],
    ['notes.md', bytes(`# Storage\n\n${LOCKER}\n`)],
    ['notes.csv', bytes(`day,note\nMonday,${LOCKER}\n`)],
    ['notes.json', bytes(JSON.stringify({ day: 'Monday', note: LOCKER }))],
    ['notes.py', bytes(`NOTE = "${LOCKER}"\nprint(17)\n`)],
    ['notes.pdf', pdfOf(['Monday.', LOCKER])],
    ['notes.docx', docxOf(['Monday.', LOCKER])],
  ])(
    '[text/kinds] [text/questions] [text/sources] is answered from %s, which is named',
    async (name, content) => {
      const session = `one-${name}`;
      await shareFile(stack.httpUrl(), alice, { name, content, conversation: session });
      const { text, sources } = await askUntilFrom(name, WHERE, session);
      expect(text).toContain('locker seventeen');
      expect(sources).toEqual([name]);
    },
  );

  it('[text/own] keeps them from other conversations, and from other users', async () => {
    const content = bytes(LOCKER);
    await shareFile(stack.httpUrl(), alice, { name: 'mine.txt', content, conversation: 'mine' });
    await askUntilFrom('mine.txt', WHERE, 'mine');
    for (const [session, token] of [
      ['another', alice],
      ['mine', bob],
    ] as const) {
      const found = await ask(WHERE, session, token);
      expect(found.text).not.toContain('seventeen');
      expect(found.sources).not.toContain('mine.txt');
    }
  });

  it('[text/deleted] answers from none that was deleted', async () => {
    const content = bytes(LOCKER);
    const shared = { name: 'old.txt', content, conversation: 'deleting' };
    const id = await shareFile(stack.httpUrl(), alice, shared);
    await askUntilFrom('old.txt', WHERE, 'deleting');
    const headers = { authorization: `Bearer ${alice}` };
    const response = await fetch(`${stack.httpUrl()}/api/v1/files/${id}`, { method: 'DELETE', headers });
    expect(response.status).toBeLessThan(300);
    const { text, sources } = await ask(WHERE, 'deleting');
    expect(text).not.toContain('seventeen');
    expect(sources).not.toContain('old.txt');
  });

  it('[text/archives] does not look into archives', async () => {
    const packed = zipArchive([{ name: 'packed.txt', content: LOCKER }]);
    const conversation = 'archives';
    await shareFile(stack.httpUrl(), alice, { name: 'packed.zip', content: packed, conversation });
    const content = bytes('The umbrella of the porter is green.');
    await shareFile(stack.httpUrl(), alice, { name: 'behind.txt', content, conversation });
    // One service extracts texts one after the other: the archive has had its turn.
    await askUntilFrom('behind.txt', 'Which colour has the umbrella of the porter?', conversation);
    const { text, sources } = await ask(WHERE, conversation);
    expect(text).not.toContain('seventeen');
    expect(sources).not.toContain('packed.zip');
  });
});

describe('a room with files', () => {
  it('[text/questions] [text/sources] answers every member from what one of them has shared', async () => {
    const room = 'garage';
    const hers = await openRooms(stack.url(), alice);
    await join(hers, room, { room_type: 'shared' });
    const his = await openRooms(stack.url(1), bob);
    await join(his, room);
    await shareFile(stack.httpUrl(), alice, { name: 'lockers.txt', content: bytes(LOCKER), room });
    const until = performance.now() + ANSWER_MS;
    for (let asked = 1; ; asked += 1) {
      const { deltas, end } = await askRoom(his, WHERE, { room, id: `where-${asked}` });
      if (end.data.sources?.includes('lockers.txt') || performance.now() > until) {
        expect(deltas.join('')).toContain(LOCKER);
        expect(end.data.sources).toEqual(['lockers.txt']);
        break;
      }
    }
    hers.close();
    his.close();
  });
});
