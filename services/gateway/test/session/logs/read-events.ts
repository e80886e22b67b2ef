/** Reads server-sent events as a browser would, and keeps them. */
import type { Frame } from '@natter/testkit';

export interface EventsRead {
  type: string;
  events: { id: string; data: Frame }[];
  comments: string[];
  retry: string | null;
  /** Resolves when the server has ended the stream. */
  ended: Promise<void>;
  close(): void;
}

export async function readEvents(url: string, headers: Record<string, string>): Promise<EventsRead> {
  const abort = new AbortController();
  const response = await fetch(url, { headers, signal: abort.signal });
  const read: EventsRead = {
    type: response.headers.get('content-type') ?? '',
    events: [],
    comments: [],
    retry: null,
    ended: Promise.resolve(),
    close: () => abort.abort(),
  };
  read.ended = follow(response, read).catch((error: unknown) => {
    if (!abort.signal.aborted) throw error;
  });
  return read;
}

async function follow(response: Response, read: EventsRead): Promise<void> {
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) take(part, read);
  }
}

function take(part: string, read: EventsRead): void {
  const fields = new Map(part.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
  if (part.startsWith(':')) read.comments.push(part);
  else if (fields.has('retry')) read.retry = fields.get('retry') ?? null;
  else read.events.push({ id: fields.get('id') ?? '', data: JSON.parse(fields.get('data') ?? 'null') });
}
