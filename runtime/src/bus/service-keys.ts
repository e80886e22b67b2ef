/** The nkeys by which the services of one machine sign in to its broker. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
// Not by way of the client: `npm start` needs keys before it needs half a second of loading.
import { createUser, fromSeed } from '@nats-io/nkeys';
import { SERVICES, type ServiceName, serviceKeyFile } from '../broker/service-users.ts';

/**
 * The public keys of the services, for the broker's configuration.
 *
 * Reads the seeds from the broker's data folder, or makes those that are missing.
 */
export async function readOrCreateServiceKeys(brokerDir: string): Promise<Record<ServiceName, string>> {
  const entries = SERVICES.map(
    async (service) => [service, await readOrCreate(serviceKeyFile(brokerDir, service))] as const,
  );
  return Object.fromEntries(await Promise.all(entries)) as Record<ServiceName, string>;
}

/** The seed is readable by its owner only. */
async function readOrCreate(file: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = Buffer.from(createUser().getSeed()).toString();
  await writeFile(file, fresh, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const seed = (await readFile(file, 'utf8')).trim();
  return fromSeed(new TextEncoder().encode(seed)).getPublicKey();
}
