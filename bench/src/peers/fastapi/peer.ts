/** FastAPI under uvicorn, as the guides of both set it up. */
import { createHmac, randomBytes } from 'node:crypto';
import { freePort } from '@natter/runtime';
import type { Bench } from '../../bench.ts';
import { openSpeaker } from '../../load/speaker.ts';
import { CORE } from '../../measure/cores.ts';
import { envelope } from '../envelope.ts';
import type { Peer } from '../peer.ts';
import { startProgram } from '../program.ts';
import { findPython } from './python.ts';

const TOKEN_SECONDS = 3_600;

export const fastapi: Peer = {
  name: 'fastapi',
  title: 'FastAPI',
  missing: () =>
    findPython() === null
      ? 'no python3 has fastapi, uvicorn, websockets and jwt (Debian: python3-fastapi, python3-uvicorn, python3-websockets, python3-jwt)'
      : null,
  versions: () => findPython()?.versions ?? {},
  async startRoom(bench) {
    const { pid, port } = await startApp(bench, CORE.underTest, {});
    const speaker = await openSpeaker(port, '/say');
    bench.defer(() => speaker.drop());
    return {
      pids: [pid],
      helpers: {},
      port,
      entrances: [{ path: '/watch', readyMark: null }],
      delivery: (text) => ({ bytes: Buffer.byteLength(envelope(text)), coalesced: false }),
      say: (text, times) => {
        for (let time = 0; time < times; time += 1) speaker.send(envelope(text));
      },
    };
  },
  async startChat(bench, modelUrl) {
    const secret = randomBytes(32).toString('base64url');
    const { pid, port } = await startApp(bench, 'any', { OPENAI_BASE_URL: modelUrl, CHAT_SECRET: secret });
    return { pids: [pid], port, token: (sub) => sign(sub, secret) };
  },
};

async function startApp(bench: Bench, core: number | 'any', env: Record<string, string>) {
  const port = await freePort();
  const file = findPython()?.file as string;
  const args = [`${import.meta.dirname}/app.py`, '--port', String(port)];
  const pid = await startProgram(bench, { name: 'FastAPI', file, args, env, port, core });
  return { pid, port };
}

/** HS256, which is what most applications of one process use. */
function sign(sub: string, secret: string): string {
  const exp = Math.floor(Date.now() / 1_000) + TOKEN_SECONDS;
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub, exp, name: sub })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
