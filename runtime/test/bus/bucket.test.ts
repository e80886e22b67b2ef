import { expect, it } from 'vitest';
import { Bucket } from '../../src/bus/bucket.ts';

type Parts = ConstructorParameters<typeof Bucket>;

/** A bucket whose leader answers so, one after the other. */
function answered(...answers: unknown[]): Bucket {
  const request = async () => ({ data: Buffer.from(JSON.stringify(answers.shift())) });
  return new Bucket({} as Parts[0], { request } as unknown as Parts[1], {} as Parts[2], 'members');
}

const message = { seq: 7, data: Buffer.from('member').toString('base64') };

it('a key has no value only where the leader says that no message is there', async () => {
  const none = { error: { code: 404, err_code: 10_037, description: 'no message found' } };
  expect(await answered(none).getFromLeader('a.b')).toBeNull();
});

it('a stream that is not there yet says nothing of a key: it is asked again', async () => {
  const noStream = { error: { code: 404, err_code: 10_059, description: 'stream not found' } };
  expect(await answered(noStream, noStream, { message }).getFromLeader('a.b')).toMatchObject({ revision: 7 });
});
