/** Peer: the SDK that the agent uses, which reads streams and does nothing with them. */
import OpenAI from 'openai';
import { serveParent } from '../serve-parent.ts';

export interface SdkLoopRequest {
  baseUrl: string;
  streams: number;
}

const QUESTION = 'What is the engine power?';

/** Replies with the characters read. */
serveParent<SdkLoopRequest, number>(async ({ baseUrl, streams }) => {
  const client = new OpenAI({ baseURL: baseUrl, apiKey: 'bench', maxRetries: 0, logLevel: 'off' });
  const lengths = await Promise.all(Array.from({ length: streams }, () => read(client)));
  return lengths.reduce((sum, length) => sum + length, 0);
});

async function read(client: OpenAI): Promise<number> {
  const stream = await client.chat.completions.create({
    model: 'bench',
    messages: [{ role: 'user', content: QUESTION }],
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
  return text.length;
}
