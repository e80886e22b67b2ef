/** Whether processes live and are the ones that were started, and their return to life. */
import type { ServiceProcess, Stack } from '@natter/testkit';

/** Name and process id of everything that runs; a dead process shows as how it ended. */
export async function census(stack: Stack): Promise<Record<string, string>> {
  const services = [stack.demo, stack.auth, ...stack.agents, ...stack.gateways];
  const entries = await Promise.all(services.map(async (service) => [service.name, await state(service)]));
  return { broker: String(stack.nats.pid), ...Object.fromEntries(entries) };
}

async function state(service: ServiceProcess): Promise<string> {
  const exit = await Promise.race([service.ended, Promise.resolve(null)]);
  return exit === null ? String(service.pid) : `${service.pid} ended: ${exit.signal ?? exit.code}`;
}

/** Brings back those that a test left dead or paused, so that one failure stays one. */
export async function revive(services: readonly ServiceProcess[]): Promise<void> {
  for (const service of services) {
    service.resume();
    if ((await state(service)).includes('ended')) await service.restart();
  }
}
