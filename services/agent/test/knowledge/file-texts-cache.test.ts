import { expect, it } from 'vitest';
import { FileTexts, searchableFile } from '../../src/knowledge/file-texts.ts';
import { FileTextsCache } from '../../src/knowledge/file-texts-cache.ts';

const texts = (chars: number) =>
  FileTexts.build([searchableFile({ id: 'a', name: 'a.txt', text: 'x'.repeat(chars) })], {
    firstFile: 1,
    lastText: 1,
  });

it('forgets the conversation used longest ago when there are too many', async () => {
  const cache = new FileTextsCache({ conversations: 2, chars: 1_000 });
  const some = await texts(1);
  cache.set('a', some);
  cache.set('b', some);
  expect(cache.get('a')).toBe(some);
  cache.set('c', some);
  expect(['a', 'b', 'c'].filter((each) => cache.get(each) !== undefined)).toEqual(['a', 'c']);
});

it('forgets until the characters fit, but never what was set last', async () => {
  const cache = new FileTextsCache({ conversations: 9, chars: 1_000 });
  cache.set('a', await texts(400));
  cache.set('b', await texts(400));
  cache.set('c', await texts(400));
  expect(cache.size).toEqual({ conversations: 2, chars: 800 });
  cache.set('d', await texts(2_000));
  expect(cache.size).toEqual({ conversations: 1, chars: 2_000 });
});

it('counts a conversation once that is set again, and none that was deleted', async () => {
  const cache = new FileTextsCache({ conversations: 9, chars: 1_000 });
  cache.set('a', await texts(400));
  cache.set('a', await texts(500));
  expect(cache.size).toEqual({ conversations: 1, chars: 500 });
  cache.delete('a');
  cache.delete('a');
  expect(cache.size).toEqual({ conversations: 0, chars: 0 });
});
