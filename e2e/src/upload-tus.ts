/** Uploads a file with tus in its two requests, without a client library, as far as it goes. */
import type { FileToUpload, Outcome } from './uploading-client.ts';

/** `told.size` is the declared length; tus has no sum of the whole file and skips nothing. */
export async function uploadByTus(httpUrl: string, token: string, file: FileToUpload): Promise<Outcome> {
  const headers = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' };
  const { name, type, room, conversation, content, told } = file;
  const created = await fetch(`${httpUrl}/api/v1/uploads`, {
    method: 'POST',
    headers: {
      ...headers,
      'upload-length': String(told?.size ?? content.length),
      'upload-metadata': metadata({
        filename: name,
        filetype: type,
        room_id: room,
        conversation_id: conversation,
      }),
    },
  });
  if (created.status !== 201) return refusal('init', null, created);
  const id = created.headers.get('x-natter-file-id');
  const sent = await fetch(new URL(created.headers.get('location') ?? '', httpUrl), {
    method: 'PATCH',
    headers: { ...headers, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
    body: Buffer.from(content.buffer, content.byteOffset, content.length),
  });
  // A body of more than was declared is refused as it comes, not at its end.
  const step = content.length > (told?.size ?? content.length) ? 'chunk' : 'finalize';
  if (sent.status !== 204) return refusal(step, id, sent);
  const result = sent.headers.get('x-natter-file-state') ?? 'unfinished';
  return { id, step: 'finalize', result, data: { headers: Object.fromEntries(sent.headers) } };
}

/** Takes an upload back; resolves with the status of the answer. */
export async function cancelByTus(httpUrl: string, token: string, id: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' };
  return (await fetch(`${httpUrl}/api/v1/uploads/${id}`, { method: 'DELETE', headers })).status;
}

/** As the header Upload-Metadata has it, without what is not there. */
function metadata(values: Record<string, string | null | undefined>): string {
  return Object.entries(values)
    .filter(([, value]) => value != null)
    .map(([key, value]) => `${key} ${Buffer.from(value ?? '').toString('base64')}`)
    .join(',');
}

async function refusal(step: Outcome['step'], id: string | null, response: Response): Promise<Outcome> {
  const data = (await response.json()) as { code: string };
  return { id, step, result: data.code, data };
}
