/**
 * What happens when connections go away and their clients come back: event by event.
 *
 * A try goes through queues: the gateway (upgrade), auth (token, room), the broker (what was missed),
 * the gateway again (sends it). Each does its work in the order it comes (`server.ts`). A client gives
 * up after its timeout, or is refused, and tries again after full jitter; work done for it until then
 * is lost, which is how a storm feeds itself.
 */
import { backoffMs } from './backoff.ts';
import { CLIENT, Clients } from './clients.ts';
import { EventQueue } from './event-queue.ts';
import { Gateways } from './gateways.ts';
import { type Outcome, outcomeOf, type Tier } from './outcome.ts';
import { drainTimeMs, type Parameters } from './parameters.ts';
import { Random } from './random.ts';
import { Server, WINDOW_MS } from './server.ts';

/** Something that happens to gateways. */
export interface Blow {
  atMs: number;
  /** `kill`: its clients know at once; `vanish`: they notice by their own timers; `drain`: as on SIGTERM. */
  kind: 'kill' | 'vanish' | 'drain' | 'start';
  gateway: number;
}

export interface Script {
  blows: readonly Blow[];
  /** Share of auth and brokers that is left. */
  left: number;
  /** The broker serves nobody before. */
  brokerBackMs: number;
}

/** Clients that are simulated one by one: a few seconds. */
const MOST_CLIENTS = 50_000;
/** Who is not back this long after the last blow is counted as missing. */
const HORIZON_MS = 300_000;
/** Nor who is not back then: a storm that feeds itself has no end. */
const MOST_EVENTS = 20_000_000;
/** A tier with more than this of other work is as good as gone. */
const MOST_BACKGROUND = 0.95;
/** As the gateway closes its connections (services/gateway/src/edge/socket-server.ts). */
const DRAIN_STEP_MS = 50;

const EVENT = {
  blow: 0,
  lost: 1,
  down: 2,
  try: 3,
  upgrade: 4,
  auth: 5,
  broker: 6,
  resume: 7,
  done: 8,
  giveUp: 9,
} as const;

export class Reconnects {
  readonly tallies = { lost: 0, tries: 0, refused: 0, timedOut: 0, cutOff: 0, back: 0 };
  readonly gateways: Gateways;
  readonly clients: Clients;
  readonly auth: Server;
  readonly broker: Server;
  readonly #queue = new EventQueue();
  readonly #random: Random;
  readonly #parameters: Parameters;
  readonly #script: Script;
  /** Share of each tier that other work takes. */
  readonly #background: Record<Tier, number>;
  readonly #authRequests: number[] = [];
  readonly #resumes: number[] = [];
  /** Connections that went away less those that came back, in each second. */
  readonly #gone: number[] = [];

  constructor(parameters: Parameters, script: Script) {
    const { seed, authCores, brokerCores, coreSpeed, connections } = parameters;
    this.#parameters = parameters;
    this.#script = script;
    this.#random = new Random(seed);
    // Those that are left have the other work of all.
    const share = (background: number) => Math.min(MOST_BACKGROUND, background / script.left);
    this.#background = {
      gateway: share(parameters.gatewayBackground),
      auth: share(parameters.authBackground),
      broker: share(parameters.brokerBackground),
    };
    this.gateways = new Gateways(parameters, this.#background.gateway, this.#random);
    this.gateways.connections.fill(connections);
    const hit = [...new Set(script.blows.map(({ gateway }) => gateway))];
    this.clients = new Clients(hit, connections, MOST_CLIENTS);
    const speed = coreSpeed * script.left;
    this.auth = new Server(authCores * speed * (1 - this.#background.auth));
    this.broker = new Server(brokerCores * speed * (1 - this.#background.broker));
    for (const [index, { atMs }] of script.blows.entries()) this.#queue.add(atMs, EVENT.blow, index);
  }

  run(): Outcome {
    const handle = (kind: number, subject: number) => this.#handle(kind, subject);
    const last = this.#script.blows.reduce((latest, { atMs }) => Math.max(latest, atMs), 0);
    let left = MOST_EVENTS;
    while (left-- > 0 && this.#queue.now < last + HORIZON_MS && this.#queue.take(handle));
    return this.#outcome();
  }

  #handle(kind: number, subject: number): void {
    if (kind === EVENT.blow) return this.#blow(this.#script.blows[subject] as Blow);
    if (kind === EVENT.down) return this.#kill(subject, () => 0);
    if (kind === EVENT.lost) return this.#lose(subject, 0);
    if (kind === EVENT.try) return this.#try(subject);
    this.#goOn(kind, subject);
  }

  #blow({ kind, gateway }: Blow): void {
    const { noticeMs } = this.#parameters;
    if (kind === 'start') this.gateways.start(gateway);
    else if (kind === 'kill') this.#kill(gateway, () => 0);
    else if (kind === 'vanish') this.#kill(gateway, () => this.#random.next() * noticeMs);
    else this.#drain(gateway, drainTimeMs(this.#parameters));
  }

  #kill(gateway: number, noticedAfter: () => number): void {
    for (const client of this.clients.on(gateway)) this.#lose(client, noticedAfter());
    this.gateways.kill(gateway, this.#queue.now);
  }

  #drain(gateway: number, drainMs: number): void {
    this.gateways.stopTaking(gateway);
    const here = this.clients.on(gateway);
    const steps = Math.ceil(drainMs / DRAIN_STEP_MS) || 1;
    for (const [index, client] of here.entries()) {
      const step = Math.floor((index * steps) / here.length);
      this.#queue.add(this.#queue.now + (step * drainMs) / steps, EVENT.lost, client);
    }
    this.#queue.add(this.#queue.now + drainMs, EVENT.down, gateway);
  }

  #lose(client: number, noticedAfterMs: number): void {
    if (this.clients.state[client] !== CLIENT.connected) return;
    const { now } = this.#queue;
    const gateway = this.clients.gateway[client] as number;
    this.clients.leave(client, now);
    this.#add(this.gateways.connections, gateway, -this.clients.weight);
    this.#count(this.#gone, now, this.clients.weight);
    this.tallies.lost += this.clients.weight;
    this.#tryLater(client, noticedAfterMs);
  }

  #tryLater(client: number, afterMs: number): void {
    const { backoffBaseMs, backoffCapMs } = this.#parameters;
    const failures = this.clients.failures[client] as number;
    const wait = backoffMs(failures, backoffBaseMs, backoffCapMs, this.#random);
    this.#queue.add(this.#queue.now + afterMs + wait, EVENT.try, client);
  }

  #try(client: number): void {
    const { roundTripMs, timeoutMs, refusalMicros } = this.#parameters;
    const { weight } = this.clients;
    this.tallies.tries += weight;
    const gateway = this.gateways.choose();
    if (gateway === null || !this.gateways.admits(gateway, weight)) {
      // A refusal is an HTTP answer, and an upgrade that does not come to more.
      const server = gateway === null ? null : this.gateways.servers[gateway];
      server?.serve(this.#queue.now, (refusalMicros * weight) / 1_000);
      this.tallies.refused += weight;
      return this.#fail(client, roundTripMs);
    }
    this.clients.state[client] = CLIENT.trying;
    this.clients.gateway[client] = gateway;
    this.clients.life[client] = this.gateways.lives[gateway] as number;
    this.clients.deadline[client] = this.#queue.now + timeoutMs;
    this.#add(this.gateways.pending, gateway, weight);
    this.#next(client, EVENT.upgrade, this.#queue.now + roundTripMs);
  }

  /** The next step of a try, unless the client gives up before. */
  #next(client: number, kind: number, atMs: number): void {
    const deadline = this.clients.deadline[client] as number;
    if (atMs <= deadline) this.#queue.add(atMs, kind, client);
    else this.#queue.add(Math.max(this.#queue.now, deadline), EVENT.giveUp, client);
  }

  #goOn(kind: number, client: number): void {
    const { connectMicros, resumeMicros, authMicros, brokerMicros, refusalMicros, busRoundTripMs } =
      this.#parameters;
    const { now } = this.#queue;
    const { weight } = this.clients;
    const gateway = this.clients.gateway[client] as number;
    const work = (micros: number) => (micros * weight) / 1_000;
    if (this.clients.life[client] !== this.gateways.lives[gateway]) {
      this.tallies.cutOff += weight;
      return this.#fail(client, 0);
    }
    const server = this.gateways.servers[gateway] as Server;
    if (kind === EVENT.upgrade) {
      this.#next(client, EVENT.auth, server.serve(now, work(connectMicros)) + busRoundTripMs);
    } else if (kind === EVENT.auth) {
      // Auth is asked over the broker.
      if (now < this.#script.brokerBackMs) return this.#refuse(client, gateway);
      this.#count(this.#authRequests, now, weight);
      if (this.#isAuthFull()) {
        this.auth.serve(now, work(refusalMicros));
        return this.#refuse(client, gateway);
      }
      this.#next(client, EVENT.broker, this.auth.serve(now, work(authMicros)) + busRoundTripMs);
    } else if (kind === EVENT.broker) {
      this.#count(this.#resumes, now, weight);
      this.#next(client, EVENT.resume, this.broker.serve(now, work(brokerMicros)));
    } else if (kind === EVENT.resume) {
      this.#next(client, EVENT.done, server.serve(now, work(resumeMicros)));
    } else if (kind === EVENT.giveUp) {
      this.tallies.timedOut += weight;
      this.#add(this.gateways.pending, gateway, -weight);
      this.#fail(client, 0);
    } else {
      this.tallies.back += weight;
      this.#add(this.gateways.pending, gateway, -weight);
      this.#add(this.gateways.connections, gateway, weight);
      this.#count(this.#gone, now, -weight);
      this.clients.arrive(client, now);
    }
  }

  #isAuthFull(): boolean {
    const { authLimit, authMicros, coreSpeed } = this.#parameters;
    // Each core has as much waiting, and takes as long for it.
    const longest = (authLimit * authMicros) / 1_000 / (coreSpeed * (1 - this.#background.auth));
    return authLimit > 0 && this.auth.backlog(this.#queue.now) > longest;
  }

  #refuse(client: number, gateway: number): void {
    this.tallies.refused += this.clients.weight;
    this.#add(this.gateways.pending, gateway, -this.clients.weight);
    this.#fail(client, 0);
  }

  #fail(client: number, afterMs: number): void {
    this.clients.state[client] = CLIENT.away;
    this.clients.failures[client] = (this.clients.failures[client] as number) + 1;
    this.#tryLater(client, afterMs);
  }

  #add(to: Float64Array, gateway: number, count: number): void {
    to[gateway] = (to[gateway] as number) + count;
  }

  #count(windows: number[], atMs: number, count: number): void {
    const window = Math.floor(atMs / WINDOW_MS);
    windows[window] = (windows[window] ?? 0) + count;
  }

  #outcome(): Outcome {
    const perGateway = this.gateways.servers.map((server) => server.busyShares());
    const seconds = Math.max(this.#gone.length, ...perGateway.map(({ length }) => length));
    const busiest = Array.from({ length: seconds }, (_, second) =>
      perGateway.reduce((most, shares) => Math.max(most, shares[second] ?? 0), 0),
    );
    return outcomeOf({
      parameters: this.#parameters,
      tallies: this.tallies,
      aways: this.clients.aways(),
      missing: this.clients.missing,
      endMs: this.#queue.now,
      busy: { gateway: busiest, auth: this.auth.busyShares(), broker: this.broker.busyShares() },
      background: this.#background,
      gone: this.#gone,
      authRequests: this.#authRequests,
      resumes: this.#resumes,
    });
  }
}
