/** Shares a file in a room or a conversation, with tus in its two requests. */
import { expect } from 'vitest';
import { uploadByTus } from './upload-tus.ts';

export interface SharedFile {
  name: string;
  content: Uint8Array;
  /** Where; without both the file is the user's own. */
  room?: string;
  conversation?: string;
}

/** Resolves with the file's id once it is finished; fails where it is refused. */
export async function shareFile(httpUrl: string, token: string, file: SharedFile): Promise<string> {
  const outcome = await uploadByTus(httpUrl, token, file);
  expect(outcome).toMatchObject({ step: 'finalize', result: 'ready' });
  return outcome.id ?? '';
}
