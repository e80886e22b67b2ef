/** Starts the model that only sends tokens. */
import type { Bench } from './bench.ts';
import { HelperProcess } from './helper-process.ts';
import { CORE } from './measure/cores.ts';
import type { TokenServerRequest } from './peers/token-server/main.ts';

export interface TokenServer {
  /** To be given to services as their model. */
  env: Record<string, string>;
  baseUrl: string;
  pid: number;
  ask(request: TokenServerRequest): Promise<unknown>;
}

export async function startTokenServer(bench: Bench): Promise<TokenServer> {
  const entry = `${import.meta.dirname}/peers/token-server/main.ts`;
  const server = await HelperProcess.start<TokenServerRequest, unknown>('token server', entry);
  bench.defer(() => server.stop());
  bench.cores.pin(server.pid, CORE.load);
  const ask = (request: TokenServerRequest) => server.ask(request, 10_000);
  const baseUrl = String(await ask({ type: 'where' }));
  return {
    baseUrl,
    pid: server.pid,
    ask,
    env: { OPENAI_BASE_URL: baseUrl, OPENAI_API_KEY: 'bench', NATTER_MODEL: 'bench' },
  };
}
