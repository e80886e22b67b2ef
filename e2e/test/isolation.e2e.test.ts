/** One message id is one run, and nobody meets another person's conversation. */
import { type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { completedRuns } from '../src/agent-at-work.ts';
import { ask, expectWhole, openChat, readAnswer, send, terminals } from '../src/chat.ts';
import { reportFailures } from '../src/report-failures.ts';

let stack: Stack;
let alice: string;
let bob: string;
beforeAll(async () => {
  stack = await startStack({ gateways: 2, agents: 2, demo: { tokensPerSecond: 60, firstTokenMs: 0 } });
  alice = await stack.token({ sub: 'alice' });
  bob = await stack.token({ sub: 'bob' });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const open: Probe[] = [];
afterEach(() => Promise.all(open.splice(0).map((probe) => probe.close())));

async function chat(token: string, gateway = 0): Promise<Probe> {
  const probe = await openChat(stack.url(gateway), token);
  open.push(probe);
  return probe;
}

/**
 * Checks that `work` caused one run of Alice's conversation.
 *
 * Runs of a conversation happen in order: when a question asked after `work` has been counted,
 * whatever `work` caused has been, too.
 */
async function expectOneRun(session_id: string, work: () => Promise<void>): Promise<void> {
  const before = await completedRuns(stack);
  await work();
  expectWhole(await ask(await chat(alice), { message: 'How big is the boot?', session_id }));
  await expect.poll(() => completedRuns(stack), { timeout: 30_000 }).toBeGreaterThanOrEqual(before + 2);
  expect(await completedRuns(stack)).toBe(before + 2);
}

function question(session_id: string) {
  return { message: 'What is the engine power?', session_id, message_id: 'the one id' };
}

describe('the same message sent twice', () => {
  it('[once/same-socket] on one socket, while it is answered: one run and one answer', async () => {
    const probe = await chat(alice);
    await expectOneRun('same socket', async () => {
      send(probe, question('same socket'));
      send(probe, question('same socket'));
      await probe.nextOfType('token', 60_000);
      send(probe, question('same socket'));
      await probe.nextOfType('complete', 60_000);
    });
    expectWhole(await ask(probe, { message: 'What is the wheelbase?', session_id: 'same socket' }));
    expect(terminals(probe)).toHaveLength(2);
  });

  it('[once/two-sockets] on sockets of two gateways, one of them late: one run, told to both as a whole', async () => {
    const [first, second] = [await chat(alice, 0), await chat(alice, 1)];
    await expectOneRun('two sockets', async () => {
      send(first, question('two sockets'));
      await first.nextOfType('token', 60_000);
      const late = readAnswer(second);
      send(second, question('two sockets'));
      const there = await late;
      expectWhole(there);
      const here = await first.nextOfType('complete', 60_000);
      expect(there.end).toEqual(here);
    });
  });

  it('[once/after-the-end] after it was answered: the same answer again, without a run', async () => {
    const probe = await chat(alice);
    await expectOneRun('after the end', async () => {
      const answered = await ask(probe, question('after the end'));
      const again = await ask(probe, question('after the end'));
      expectWhole(again);
      expect(again.end).toEqual(answered.end);
      const elsewhere = await ask(await chat(alice, 1), question('after the end'));
      expect(elsewhere.end).toEqual(answered.end);
    });
  });

  it('[once/over-http] over a socket and over HTTP: one run, the same answer', async () => {
    const probe = await chat(alice);
    await expectOneRun('over http', async () => {
      send(probe, question('over http'));
      const response = await fetch(`${stack.httpUrl(1)}/api/v1/chat`, {
        method: 'POST',
        headers: { authorization: `Bearer ${alice}` },
        body: JSON.stringify(question('over http')),
      });
      const { message_id, ...whole } = (await response.json()) as Record<string, unknown>;
      const { type: _type, ...frame } = await probe.nextOfType('complete', 60_000);
      expect(whole).toEqual(frame);
      expect(message_id).toBe('the one id');
    });
  });
});

describe('somebody else', () => {
  it('[isolation/message-id] with the same message id gets the answer to their own question', async () => {
    const [hers, his] = await Promise.all([chat(alice), chat(bob)]);
    const [to, from] = [
      question('shared name'),
      { ...question('shared name'), message: 'How big is the boot?' },
    ];
    const [first, second] = await Promise.all([ask(hers, to), ask(his, from)]);
    expectWhole(first);
    expectWhole(second);
    expect(first.end.response).toContain('132 kW');
    expect(second.end.response).toContain('boot');
    expect(second.end.response).not.toContain('132 kW');
  });

  it('[isolation/session-id] with the same session_id sees nothing of the conversation, live or later', async () => {
    const session_id = 'a name anybody may guess';
    const [hers, his] = await Promise.all([chat(alice), chat(bob)]);
    expectWhole(await ask(hers, { message: 'What is the engine power?', session_id }));
    const { end } = await ask(his, { message: 'What was my first question?', session_id });
    expect(end.response).toContain('This is your first question in this conversation.');
    const recalled = await ask(hers, { message: 'What was my first question?', session_id });
    expect(recalled.end.response).toContain('What is the engine power?');
    expect(terminals(his)).toHaveLength(1);
    expect(terminals(hers)).toHaveLength(2);
  });

  it('[isolation/switched-user] on the same socket after a new sign-in starts a conversation of their own', async () => {
    const probe = await chat(alice);
    expectWhole(await ask(probe, 'What is the engine power?'));
    probe.send({ type: 'auth', token: bob });
    expect(await probe.nextOfType('auth_success')).toMatchObject({ user: { id: 'bob' } });
    const { end } = await ask(probe, 'What was my first question?');
    expect(end.response).toContain('This is your first question in this conversation.');
  });

  it('[isolation/customer-id] who names my id as customer_id sees none of my appointments', async () => {
    await stack.demo.behave({ tokensPerSecond: 0 });
    const [hers, his] = await Promise.all([chat(alice), chat(bob)]);
    const date = nextWednesday();
    const booked = await ask(hers, `Please book an oil service appointment on ${date} at 10:00`);
    expect(booked.end.response).toContain(date);
    const asked = { message: 'Which maintenance appointments do I have?', session_id: 'appointments' };
    expect((await ask(hers, asked)).end.response).toContain(date);
    for (const customer_id of ['alice', undefined])
      expect((await ask(his, { ...asked, customer_id })).end.response).not.toContain(date);
  });
});

/** A day on which the workshop is open, a week or two from now. */
function nextWednesday(): string {
  const day = new Date(Date.now() + 7 * 86_400_000);
  while (day.getUTCDay() !== 3) day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
}
