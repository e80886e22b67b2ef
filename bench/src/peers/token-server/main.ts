/** A model that does nothing but send tokens: on an exact schedule, or as fast as they are read. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveParent } from '../serve-parent.ts';
import { Chunks } from './chunks.ts';
import { FastStream } from './fast-stream.ts';
import { HeldStreams } from './held-streams.ts';
import { Schedule } from './schedule.ts';

export type TokenServerRequest =
  | { type: 'where' }
  /** `epochMicros`: the shared clock's time from which stamps count. */
  | { type: 'paced'; tokensPerSecond: number; tokens: number; epochMicros: number }
  | { type: 'fast'; tokens: number }
  /** All tokens at once, and then nothing until `release`. */
  | { type: 'held'; tokens: number }
  /** How many streams are held. */
  | { type: 'holding' }
  | { type: 'release' }
  /** How many paced answers are under way. */
  | { type: 'streams' }
  /** How late tokens were written since the last time this was asked. */
  | { type: 'lateness' };

const MAX_BODY_BYTES = 1024 * 1024;
/** The agent that every question is routed to; it has passages to search and no tools. */
const ROUTE = JSON.stringify({ agent: 'specs' });

const chunks = new Chunks();
const schedule = new Schedule(chunks);
const held = new HeldStreams(chunks);
let answer: Extract<TokenServerRequest, { tokens: number }> = { type: 'fast', tokens: 1 };

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => {
    body += chunk;
    if (body.length > MAX_BODY_BYTES) request.destroy();
  });
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    // Only the classifier asks for a schema.
    if (body.includes('"response_format"')) response.end(chunks.text(ROUTE) + chunks.tail(8));
    else if (answer.type === 'paced') schedule.add(response, answer);
    else if (answer.type === 'held') held.add(response, answer.tokens);
    else new FastStream(chunks, response, answer.tokens).pump();
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  serveParent<TokenServerRequest, unknown>((request) => {
    if (request.type === 'where') return `http://127.0.0.1:${port}/v1`;
    if (request.type === 'streams') return schedule.streams;
    if (request.type === 'lateness') return schedule.takeLateness();
    if (request.type === 'holding') return held.size;
    if (request.type === 'release') return held.release();
    answer = request;
    return null;
  });
});
