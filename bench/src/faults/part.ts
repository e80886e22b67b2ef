/** One part of the figure `faults`: people talk, something is done to the stack, and all is judged. */
import type { Bus } from '@natter/runtime';
import type { Stack } from '@natter/testkit';
import type { Xorshift } from '../fuzz/xorshift.ts';
import { type Judgement, judgePlace, lostOf } from './judge-place.ts';
import { Load } from './load.ts';
import type { Blow, MischiefContext } from './mischief.ts';
import { type Crowd, openPlaces } from './open-places.ts';
import { conversationOf, everybodyIn, type Place } from './place.ts';
import { readAfresh } from './read-afresh.ts';
import { readStored } from './stored-transcript.ts';
import { UploadLoad } from './upload-load.ts';

export interface PartOptions {
  stack: Stack;
  /** Reads MESSAGES. */
  bus: Bus;
  random: Xorshift;
  name: string;
  crowd: Crowd;
  /** Acknowledgements it takes at least. */
  acknowledgements: number;
  pauseMs: { least: number; most: number };
  cancelPercent: number;
  /** Connections that are cut by chance, of all people, in a second. */
  cutsPerSecond: number;
  /** Whether files are uploaded too; then they are what is counted. */
  uploaders: number;
  mischief(context: MischiefContext): Promise<unknown>;
}

export interface PartResult extends Judgement {
  name: string;
  acknowledged: number;
  blows: Blow[];
  /** What could not be waited for. */
  failures: string[];
  connections: number;
  gaveUp: number;
  /** Clients that waited in vain, and their last frames. */
  stuck: { who: string; unheard: string[]; journal: string[] }[];
  askedAgain: number;
  seconds: number;
}

export interface JudgedPart {
  result: PartResult;
  /** Its acknowledged messages, read once more over the bus. */
  lostSince(): Promise<string[]>;
}

export async function runPart(options: PartOptions): Promise<JudgedPart> {
  const { stack, random, name, crowd, uploaders, acknowledgements } = options;
  const begin = performance.now();
  const counts = uploaders === 0;
  let load: Load | null = null;
  const acknowledge = (place: Place, key: string) => load?.acknowledged(place, key, counts);
  const places = await openPlaces(stack, name, crowd, random, acknowledge);
  load = new Load({ ...options, places });
  const running = load;
  const uploads = new UploadLoad({
    ...{ stack, random, people: uploaders, room: places[0]?.name ?? '' },
    acknowledged: () => running.counted(),
  });
  const blows: Blow[] = [];
  const cutting = cutByChance(places, options.cutsPerSecond, random);
  try {
    await load.begin();
    await uploads.begin();
    await Promise.all([options.mischief({ stack, load, random, blows }), load.untilCount(acknowledgements)]);
  } finally {
    clearInterval(cutting);
  }
  await uploads.end();
  await load.end();
  const judgements: Judgement[] = [];
  for (const place of places) {
    const stored = await readStored(options.bus, conversationOf(place));
    const fresh = await readAfresh(stack, place, stored, random);
    const judged = judgePlace(place, stored, fresh);
    if (place === places[0]) judged.lost.push(...(await uploads.judge(stored)));
    judgements.push(judged);
  }
  const clients = places.flatMap(everybodyIn);
  for (const client of clients) client.close();
  const sum = (value: (judgement: Judgement) => number) =>
    judgements.reduce((all, one) => all + value(one), 0);
  const result = {
    name,
    acknowledged: counts ? sumOf(places.map((place) => place.acknowledged.length)) : uploads.acknowledged,
    blows,
    failures: load.failures,
    lost: judgements.flatMap((one) => one.lost),
    runs: sum((one) => one.runs),
    otherEnds: judgements.flatMap((one) => one.otherEnds),
    clients: sum((one) => one.clients),
    different: judgements.flatMap((one) => one.different),
    connections: sumOf(clients.map((client) => client.connections)),
    gaveUp: sumOf(clients.map((client) => client.gaveUp)),
    stuck: clients
      .filter(({ gaveUp, unheard }) => gaveUp > 0 || unheard.length > 0)
      .map(({ visit, wire, unheard, journal }) => ({
        who: `${wire.name} of ${visit.sub}`,
        unheard,
        journal,
      })),
    askedAgain: sumOf(clients.map((client) => client.story.askedAgain)),
    seconds: Math.round((performance.now() - begin) / 100) / 10,
  };
  const lostSince = async () => {
    const lost: string[] = [];
    for (const place of places)
      lost.push(...lostOf(place, await readStored(options.bus, conversationOf(place)), null));
    return lost;
  };
  return { result, lostSince };
}

/** So that tokens are judged and cursors are read all the while, whatever was killed. */
function cutByChance(places: readonly Place[], perSecond: number, random: Xorshift): NodeJS.Timeout {
  const clients = places.flatMap(everybodyIn);
  return setInterval(() => {
    const client = random.pick(clients);
    if (client.isOpen && client.cursor !== '') client.cut();
  }, 1_000 / perSecond);
}

function sumOf(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
