/** What earlier attempts of a run have published, read back from EVENTS. */
import { isRunEnd, RunBatch, type RunEvent, STREAMS } from '@natter/proto';
import { type Bus, isBusError } from '@natter/runtime';
import { storedJson } from '../stored-json.ts';
import { isMark, type Mark, Marks } from './marks.ts';

export interface Published {
  marks: Marks;
  text: string;
  /** Tool calls that were told. */
  tools: number;
  /** Number of the last batch, 0 for none. */
  n: number;
  /** Claim that published it. */
  claim: number;
  /** Its sequence in EVENTS. */
  seq: number;
  ended: boolean;
  /** Earlier batches are gone from EVENTS: `text` is not what readers have. */
  torn: boolean;
}

/** Reads the run; all zero when nothing was published, or EVENTS has forgotten it. */
export async function readPublished(bus: Bus, subject: string): Promise<Published> {
  const published: Published = {
    marks: new Marks(),
    text: '',
    tools: 0,
    n: 0,
    claim: 0,
    seq: 0,
    ended: false,
    torn: false,
  };
  for (const { seq, data } of await bus.stored.all(STREAMS.events, subject)) {
    published.seq = seq;
    const parsed = RunBatch.safeParse(storedJson(data));
    const batch = parsed.success ? parsed.data : null;
    published.n = batch?.n ?? published.n + 1;
    published.claim = batch?.claim ?? published.claim;
    // Nobody knows what readers made of it.
    if (batch === null) published.torn = true;
    for (const event of batch?.events ?? []) take(published, event);
  }
  return published;
}

/**
 * Takes a run over: from here on the broker refuses what its earlier agent publishes.
 *
 * Returns what had been published until then, and `started`, the first event of the run.
 */
export async function takeOver(bus: Bus, subject: string, claim: number, started: Mark): Promise<Published> {
  for (;;) {
    const published = await readPublished(bus, subject);
    // Ours already: the acknowledgement of an earlier try was lost.
    if (published.claim === claim || published.ended) return published;
    const events: RunEvent[] = [{ type: 'run.resumed', at: published.text.length }];
    // Its agent died before it said a word, or EVENTS has forgotten all of them.
    if (!published.torn && published.marks.add(started)) events.unshift(started);
    const batch: RunBatch = { n: published.n + 1, claim, events };
    try {
      const { seq } = await bus.append(subject, JSON.stringify(batch), { expectLast: published.seq });
      return { ...published, seq, n: batch.n, claim };
    } catch (error) {
      // The earlier agent was faster once more; what it said belongs to the answer.
      if (!isBusError(error, 'CONFLICT')) throw error;
    }
  }
}

function take(published: Published, event: RunEvent): void {
  if (isMark(event)) published.marks.add(event);
  if (event.type === 'tool.called') published.tools += 1;
  if (isRunEnd(event)) published.ended = true;
  if (event.type !== 'text.delta') return;
  const known = published.text.length;
  if (event.at <= known) published.text += event.text.slice(known - event.at);
  else published.torn = true;
}
