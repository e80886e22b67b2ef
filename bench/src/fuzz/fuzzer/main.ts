/** A process that fuzzes one target: whatever ends it or holds it up is a finding. */
import { closeSync, openSync } from 'node:fs';
import { serveParent } from '../../peers/serve-parent.ts';
import { FuzzRun, type FuzzTotals } from '../fuzz-run.ts';
import { fuzzTarget } from '../targets/registry.ts';

export type FuzzerRequest =
  | { type: 'begin'; target: string; seed: number }
  /** Blocks with these numbers, of `frames` frames each. */
  | { type: 'blocks'; from: number; to: number; frames: number }
  /** One block, with the frame under way in a file. */
  | { type: 'trace'; block: number; frames: number; file: string };

export interface FuzzerReply extends FuzzTotals {
  /** Errors that nobody caught, outside of reading a frame. */
  uncaught: string[];
}

const MAX_UNCAUGHT = 20;
/** Errors of malformed frames are many, and nobody reads where they were thrown. */
Error.stackTraceLimit = 0;

let run: FuzzRun | null = null;
const uncaught: string[] = [];
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error) => uncaught.length < MAX_UNCAUGHT && uncaught.push(String(error)));

/** Replies with everything since `begin`. */
serveParent<FuzzerRequest, FuzzerReply>((request) => {
  if (request.type === 'begin')
    run = new FuzzRun(fuzzTarget(request.target), request.seed, () => performance.now());
  if (run === null) throw new Error('nothing has begun');
  if (request.type === 'blocks')
    for (let block = request.from; block < request.to; block += 1) run.block(block, request.frames);
  if (request.type === 'trace') {
    const file = openSync(request.file, 'w');
    run.block(request.block, request.frames, file);
    closeSync(file);
  }
  return { ...run.totals, uncaught };
});
