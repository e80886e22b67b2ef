/** A whole stack with a canary in each of its secrets, and a model and a token store that tests steer. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OWN_SERVICES } from '@natter/proto';
import type { ServiceName } from '@natter/runtime';
import {
  type NatsServer,
  type ServiceProcess,
  type Stack,
  startNatsServer,
  startStack,
} from '@natter/testkit';
import { expect } from 'vitest';
import { Canaries } from './canaries.ts';
import { askTokens, signClientToken } from './fastchat-chat.ts';
import { makeKey, openLogSocket, openLogStream } from './log-reading.ts';
import { type MeanModel, startMeanModel } from './mean-model.ts';
import { Spy } from './spy.ts';
import { type HttpTokenStore, startTokenStore } from './token-store.ts';

/** An identity provider that nobody can reach. */
export const PROVIDER = { iss: 'https://identity.example', aud: 'natter' };

/** Settings that are secrets as a whole. */
const SECRET_SETTINGS = [
  'LOGS_API_KEY',
  'NATTER_JWT_SECRET',
  'CRYPTOGRAPHY_KEY',
  'MASTER_TOKEN',
  'OPENAI_API_KEY',
  'OPENROUTER_API_KEY',
] as const;

const QUERIES = ['?format=full&level=trace&tail=1000', '?level=trace&tail=1000'];

type TokenClaims = Parameters<Stack['token']>[0];

/** Seconds since 1970, for claims. */
export const inAnHour = () => Math.floor(Date.now() / 1_000) + 3_600;

export class SecretStack {
  readonly canaries = new Canaries();
  /** Those in lines that others put into LOGS with nobody of ours in between. */
  readonly direct = new Canaries();
  readonly secrets = Object.fromEntries(
    SECRET_SETTINGS.map((name) => [name, this.canaries.plant(name)]),
  ) as Record<(typeof SECRET_SETTINGS)[number], string>;
  /** Reading logs from the beginning to the end. */
  readonly readers: { text(): string; close(): unknown }[] = [];
  /** What processes said that are not part of the stack. */
  readonly lastWords: string[] = [];
  nats!: NatsServer;
  model!: MeanModel;
  store!: HttpTokenStore;
  stack!: Stack;
  spy!: Spy;
  /** Of an API key that may do everything. */
  logsKey = '';
  readonly folder = mkdtempSync(join(tmpdir(), 'natter-secrets-'));

  static async start(): Promise<SecretStack> {
    const rig = new SecretStack();
    try {
      await rig.#start();
      return rig;
    } catch (error) {
      await rig.stop();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const { canaries } = this;
    [this.nats, this.model, this.store] = await Promise.all([
      startNatsServer({ signIn: true }),
      startMeanModel(),
      startTokenStore(`/${canaries.plant('path of the token store')}/data`),
    ]);
    for (const service of [...OWN_SERVICES, 'log-writer'] as const)
      canaries.plantText(`nkey seed of ${service}`, readFileSync(this.keyFile(service), 'utf8').trim());
    this.stack = await startStack({
      nats: Object.create(this.nats, { url: { value: this.withPassword(this.nats.url, 'NATS_URL') } }),
      uploads: 1,
      env: this.settings(),
    });
    this.model.target = `http://127.0.0.1:${this.stack.demo.ports.http}/v1`;
    this.#plantGenerated();
    this.spy = new Spy(this.stack.url().replace('ws://', ''));
    const admin = await this.token({ sub: 'root', roles: ['admin'] });
    this.logsKey = (await makeKey(this.stack, admin, ['logs:read', 'logs:write', 'admin'])).key;
    canaries.plantText('API key', this.logsKey.slice(-43));
    for (const query of QUERIES) {
      const probe = await openLogSocket(this.stack, { key: this.logsKey, query });
      const stream = await openLogStream(this.stack, { key: this.logsKey, query });
      this.readers.push({ text: () => JSON.stringify(probe.frames), close: () => probe.close() }, stream);
    }
  }

  async stop(): Promise<void> {
    for (const reader of this.readers) reader.close();
    await this.stack?.stop();
    await Promise.all([this.nats?.stop(), this.model?.close(), this.store?.down()]);
    rmSync(this.folder, { recursive: true });
  }

  /** Of every process; those with a canary in a file or a URL get new ones with each call. */
  settings(): Record<string, string> {
    const { canaries } = this;
    const config = join(this.folder, 'config.json');
    const [key, cookie] = [canaries.plant('header of auth_middleware'), canaries.plant('cookie of the same')];
    const auth_middleware = { database_api_path: this.store.path, headers: { 'x-store-key': key, cookie } };
    writeFileSync(config, JSON.stringify({ auth_middleware }));
    const provider = new URL(this.withPassword('http://127.0.0.1:1/keys', 'NATTER_JWKS_URL'));
    provider.searchParams.set('api_key', canaries.plant('query of NATTER_JWKS_URL'));
    const query = `api_key=${canaries.plant('query of OPENAI_BASE_URL')}`;
    return {
      ...this.secrets,
      NATTER_CONFIG_FILE: config,
      NATTER_JWKS_URL: provider.href,
      NATTER_JWKS_ISSUER: PROVIDER.iss,
      NATTER_JWKS_AUDIENCE: PROVIDER.aud,
      OPENAI_BASE_URL: `http://127.0.0.1:${this.model.port}/v1?${query}`,
      NATTER_DEV_LOGIN: 'true',
      LOG_LEVEL: 'trace',
      NATTER_SHIPPED_LOG_LEVEL: 'trace',
      WS_RATE_LIMIT_REQUESTS: '100000',
      NATTER_SESSION_RATE_LIMIT: '100000',
    };
  }

  keyFile(service: ServiceName): string {
    return this.nats.keyFile(service) ?? '';
  }

  /** The URL with a user and a canary as the password. */
  withPassword(url: string, place: string): string {
    return url.replace('://', `://user:${this.canaries.plant(`password of ${place}`)}@`);
  }

  /** Everything that writes log lines. */
  get services(): ServiceProcess[] {
    const { auth, agents, uploads, gateways } = this.stack;
    return [auth, ...agents, ...uploads, ...gateways];
  }

  async token(claims: TokenClaims): Promise<string> {
    return this.canaries.plantText('access token', await this.stack.token(claims));
  }

  /** Access and refresh token of fastchat-v1. */
  async clientTokens(path: string, headers: Record<string, string> = {}): Promise<[string, string]> {
    const asked = await askTokens(this.stack.httpUrl(), path, headers);
    expect(asked.status).toBe(200);
    const { access_token, refresh_token } = asked.body.data;
    this.canaries.plantText('refresh token', refresh_token);
    return [this.canaries.plantText('client token', access_token), refresh_token];
  }

  /** HS256 with any key. */
  sign(place: string, key: string, claims: object, canaries = this.canaries): string {
    return canaries.plantText(place, signClientToken(key, { exp: inAnHour(), type: 'access', ...claims }));
  }

  /** Asks the agent over HTTP, each time in another conversation; returns the status. */
  async ask(name: string): Promise<number> {
    const headers = { authorization: `Bearer ${await this.token({ sub: 'alice' })}` };
    const body = { message: 'What is the engine power?', session_id: crypto.randomUUID() };
    return this.spy.http({ name, method: 'POST', path: '/api/v1/chat', headers, body });
  }

  /** The key that signs tokens, which auth made by itself. */
  #plantGenerated(): void {
    const dir = join(this.stack.dataDir, 'auth');
    const files = readdirSync(dir, { recursive: true }).map((name) => join(dir, String(name)));
    const keys = files
      .filter((file) => statSync(file).isFile())
      .flatMap((file) => /PRIVATE KEY-----\s+(\S+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? []);
    expect(keys).not.toEqual([]);
    for (const key of keys) this.canaries.plantText('the key that signs tokens', key.slice(-32));
  }
}
