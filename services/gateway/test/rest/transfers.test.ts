import { expect, it } from 'vitest';
import { Transfers } from '../../src/rest/transfers.ts';

const never = new AbortController().signal;

it('lets each user have so many at once', () => {
  const transfers = new Transfers(2);
  const [first, second] = [transfers.begin('alice'), transfers.begin('alice')];
  expect([first, second]).not.toContain(null);
  expect(transfers.begin('alice')).toBeNull();
  expect(transfers.begin('bob')).not.toBeNull();
  first?.();
  expect(transfers.begin('alice')).not.toBeNull();
  expect(transfers.begin('alice')).toBeNull();
});

it('lets those who wait have their turn, one after the other', async () => {
  const transfers = new Transfers(1);
  const turns: string[] = [];
  const first = await transfers.wait('alice', never);
  const wait = async (name: string) => {
    const end = await transfers.wait('alice', never);
    turns.push(name);
    return end;
  };
  const [second, third] = [wait('second'), wait('third')];
  first?.();
  (await second)?.();
  expect(transfers.begin('alice')).toBeNull();
  (await third)?.();
  expect(turns).toEqual(['second', 'third']);
});

it('forgets who goes away while they wait', async () => {
  const transfers = new Transfers(1);
  const first = transfers.begin('alice');
  const client = new AbortController();
  const waiting = transfers.wait('alice', client.signal);
  client.abort();
  expect(await waiting).toBeNull();
  expect(await transfers.wait('alice', client.signal)).toBeNull();
  first?.();
  expect(transfers.begin('alice')).not.toBeNull();
});
