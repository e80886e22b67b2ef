import { expect, it } from 'vitest';
import { jsonSpans, type Span } from '../../src/fuzz/json-spans.ts';

const TEXT = '{"a": [1, "x\\"]}", {"b":null}],"c" :{}, "":-1.5e3}';

it('finds every value, member and key of a JSON text', () => {
  const spans = jsonSpans(Buffer.from(TEXT));
  const texts = (found: Span[] = []) => found.map(({ start, end }) => TEXT.slice(start, end)).toSorted();
  expect(texts(spans?.values)).toEqual(
    [TEXT, '[1, "x\\"]}", {"b":null}]', '1', '"x\\"]}"', '{"b":null}', 'null', '{}', '-1.5e3'].toSorted(),
  );
  expect(texts(spans?.keys)).toEqual(['"a"', '"b"', '"c"', '""'].toSorted());
  expect(texts(spans?.members)).toEqual(
    ['"a": [1, "x\\"]}", {"b":null}]', '"b":null', '"c" :{}', '"":-1.5e3'].toSorted(),
  );
});

it.each(['', '{', 'None', "{'a': 1}", '[1,]'])('finds nothing in %j, which is no JSON', (text) => {
  expect(jsonSpans(Buffer.from(text))).toBeNull();
});
