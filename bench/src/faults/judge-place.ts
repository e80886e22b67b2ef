/** Compares what everybody in a place was shown with what is stored, and with what was acknowledged. */
import type { FaultClient } from './fault-client.ts';
import { everybodyIn, isHello, type Place } from './place.ts';
import type { StoredTranscript } from './stored-transcript.ts';
import type { VisibleTranscript } from './visible-transcript.ts';

export interface Judgement {
  /** Acknowledged messages that are not stored exactly once; what and how. */
  lost: string[];
  /** Questions that were acknowledged: runs. */
  runs: number;
  /** Runs without exactly one end, in MESSAGES or as somebody was shown. */
  otherEnds: string[];
  clients: number;
  /** Clients that were shown something else than what is stored. */
  different: { who: string; what: string[]; journal: string[] }[];
}

/** `fresh`: somebody who came when all was over and was shown everything. */
export function judgePlace(place: Place, stored: StoredTranscript, fresh: VisibleTranscript): Judgement {
  const judged = everybodyIn(place).map((client) => ({
    who: `${client.wire.name} of ${client.visit.sub} in ${place.name}`,
    what: differences(client, stored),
    journal: client.journal,
  }));
  const freshDiffers = [...fresh.faults, ...listDifferences(fresh, stored, stored.said)];
  const all = [...judged, { who: `who came to ${place.name} later`, what: freshDiffers, journal: [] }];
  return {
    lost: lostOf(place, stored, fresh),
    runs: runsOf(place, stored).length,
    otherEnds: [
      ...runsOf(place, stored).flatMap((run) => endsOf(run, place, stored)),
      ...everybodyIn(place).flatMap((client) => unnamedEnds(client, place, stored)),
    ],
    clients: all.length,
    different: all.filter(({ what }) => what.length > 0),
  };
}

/** Acknowledged messages that are not exactly once in both readings. */
export function lostOf(place: Place, { said }: StoredTranscript, fresh: VisibleTranscript | null): string[] {
  const times = (key: string, list: readonly { key: string }[]) =>
    list.filter((one) => one.key === key).length;
  return place.acknowledged.flatMap(({ key, text, atMs }) => {
    const same = said.find((one) => one.key === key);
    const counts = [times(key, said), fresh === null ? 1 : times(key, fresh.heard)];
    if (counts.every((count) => count === 1) && same?.text === text) return [];
    return [`${key}, acknowledged at ${Math.round(atMs)}: ${counts[0]} stored, ${counts[1]} shown later`];
  });
}

function runsOf(place: Place, { said }: StoredTranscript): string[] {
  const asked = new Set(place.acknowledged.filter(({ asks }) => asks).map(({ key }) => key));
  return said.filter(({ key }) => asked.has(key)).map(({ run }) => run);
}

function endsOf(run: string, place: Place, { ends }: StoredTranscript): string[] {
  const stored = ends.get(run) ?? 0;
  const bad = stored === 1 ? [] : [`${stored} stored`];
  for (const { story, wire, visit } of everybodyIn(place)) {
    if (!wire.confirms) continue;
    const seen = story.ended.filter((one) => one.run === run).length;
    if (seen !== 1) bad.push(`${seen} seen by ${visit.sub}`);
  }
  return bad.length === 0 ? [] : [`run ${run} in ${place.name}: ${bad.join(', ')}`];
}

/** Where frames don't name their run there must be as many ends as runs. */
function unnamedEnds({ wire, story, visit }: FaultClient, { name }: Place, { answers }: StoredTranscript) {
  const count = (list: readonly { text: string }[]) => list.filter(({ text }) => !isHello(text)).length;
  const counts = [count(story.ended), count(answers)];
  if (wire.confirms || counts[0] === counts[1]) return [];
  return [`${counts[0]} ends seen by ${visit.sub} in ${name}, ${counts[1]} stored`];
}

function differences({ story, faults, visit, own }: FaultClient, stored: StoredTranscript): string[] {
  const others = stored.said.filter(({ key }) => !own.has(key));
  return [...faults, ...story.faults, ...listDifferences(story, stored, others)].map(
    (what) => `${visit.sub}: ${what}`,
  );
}

/** Byte for byte, in order. */
function listDifferences(
  { heard, answers }: VisibleTranscript,
  stored: StoredTranscript,
  said: StoredTranscript['said'],
): string[] {
  return [
    ...firstDifference(
      'messages',
      heard.map(({ key, text }) => ({ text, whole: `${key}: ${text}` })),
      said.map(({ key, text }) => ({ text, whole: `${key}: ${text}` })),
    ),
    ...firstDifference(
      'answers',
      answers.map(({ status, text }) => ({ text, whole: `${status}: ${text}` })),
      stored.answers.map(({ status, text }) => ({ text, whole: `${status}: ${text}` })),
    ),
  ];
}

interface Line {
  text: string;
  /** With whose it is, or how it ended. */
  whole: string;
}

function firstDifference(what: string, seen: readonly Line[], all: readonly Line[]): string[] {
  // Who came a little later has not heard the first greetings.
  let late = 0;
  while (isHello(all[late]?.text ?? '') && all[late]?.whole !== seen[0]?.whole) late += 1;
  const stored = all.slice(late);
  const at = stored.findIndex(({ whole }, index) => whole !== seen[index]?.whole);
  if (at === -1 && seen.length === stored.length) return [];
  const first = at === -1 ? stored.length : at;
  const counts = `${seen.length} ${what} seen, ${stored.length} stored`;
  return [`${counts}; number ${first}: ${quoted(seen[first])} seen, ${quoted(stored[first])} stored`];
}

function quoted(line: Line | undefined): string {
  return line === undefined ? 'none' : JSON.stringify(line.whole.slice(0, 200));
}
