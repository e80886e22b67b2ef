/** What a gateway, or the parent of several of its processes, tells of itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { gatewayProcesses, type ServiceProcess } from '@natter/testkit';

const READY_MS = 30_000;
const LOOK_EVERY_MS = 20;

/** Kills one by SIGKILL; seconds until as many serve as before. */
export async function killOne(gateway: ServiceProcess): Promise<number> {
  const before = gatewayProcesses(gateway).map(({ pid }) => pid);
  const [victim] = before;
  if (victim === undefined) throw new Error('no process to kill');
  const begin = performance.now();
  process.kill(victim, 'SIGKILL');
  while (performance.now() - begin < READY_MS) {
    await sleep(LOOK_EVERY_MS);
    const now = gatewayProcesses(gateway).map(({ pid }) => pid);
    // Until the parent has noticed the death, it counts the dead one too.
    if (now.length !== before.length || now.includes(victim)) continue;
    if ((await servingOf(gateway)) === before.length) return (performance.now() - begin) / 1_000;
  }
  throw new Error(`the killed process was not back after ${READY_MS} ms`);
}

/** Of each process. */
export async function connectionsOf(gateway: ServiceProcess): Promise<number[]> {
  const lines = (await metricsOf(gateway)).matchAll(/^natter_gateway_connections\S* (\d+)/gm);
  return [...lines].map(([, count]) => Number(count));
}

/** Of a gateway of one process. */
export async function gaugeOf(gateway: ServiceProcess, name: string): Promise<number> {
  const [, value] = new RegExp(`^${name}\\S* (\\d+)`, 'm').exec(await metricsOf(gateway)) ?? [];
  if (value === undefined) throw new Error(`the gateway has no ${name}`);
  return Number(value);
}

async function servingOf(gateway: ServiceProcess): Promise<number> {
  return Number(/^natter_gateway_processes\S* (\d+)/m.exec(await metricsOf(gateway))?.[1]);
}

async function metricsOf(gateway: ServiceProcess): Promise<string> {
  return (await fetch(`http://127.0.0.1:${gateway.ports.internal}/metrics`)).text();
}
