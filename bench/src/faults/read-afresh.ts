/** Reads a whole conversation over the wire, as a new device of somebody who was there. */
import type { Stack } from '@natter/testkit';
import type { Xorshift } from '../fuzz/xorshift.ts';
import { until } from '../measure/until.ts';
import { FaultClient } from './fault-client.ts';
import { conversationOf, type Place } from './place.ts';
import type { StoredTranscript } from './stored-transcript.ts';
import type { VisibleTranscript } from './visible-transcript.ts';
import { roomsV1 } from './wires/rooms-v1.ts';

const READ_MS = 10_000;

/** What comes after a cursor of the very beginning; what is missing after 10 s stays missing. */
export async function readAfresh(
  stack: Stack,
  place: Place,
  stored: StoredTranscript,
  random: Xorshift,
): Promise<VisibleTranscript> {
  const [visit] = place.speakers.map((speaker) => speaker.visit);
  if (visit === undefined) throw new Error(`nobody talks in ${place.name}`);
  const client = new FaultClient({
    wire: roomsV1,
    visit: { ...visit, token: await stack.token({ sub: visit.sub }) },
    urls: stack.gateways.map((_, index) => stack.url(index)),
    random,
    acknowledged: () => undefined,
  });
  client.cursor = `c1.${conversationOf(place)}.0.0..0.0`;
  client.open();
  const { story } = client;
  const hasAll = () =>
    client.isOpen && story.heard.length >= stored.said.length && story.ended.length >= stored.answers.length;
  // Late is told as what is missing.
  await until(READ_MS, 'all was shown', hasAll).catch(() => undefined);
  story.faults.push(...client.faults);
  client.close();
  return story;
}
