/** A real nats-server in a Docker container, as a broker that somebody else runs. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brokerConfig, findBroker, freePort } from '@natter/runtime';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';

export interface NatsContainer {
  readonly url: string;
  readonly port: number;
  /** `docker pause`: connections stay open and nothing answers, as on a network that stalls. */
  pause(): void;
  resume(): void;
  /** SIGKILL, then the same container again: its data is what it had synced. */
  killAndRestart(): Promise<void>;
  stop(): Promise<void>;
}

const INSIDE_PORT = 4222;

// No image can be had where there is no registry, so not the one that cleans up after testcontainers
// either: `stop` does, and the daemon of a CI machine ends with it.
process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';

/** Builds the image from nothing but the static binary; needs a Docker daemon and no registry. */
export async function startNatsContainer(): Promise<NatsContainer> {
  const binary = findBroker(process.env.PATH ?? '');
  if (binary === null) throw new Error('nats-server is neither installed by npm nor on PATH');
  const context = mkdtempSync(join(tmpdir(), 'natter-image-'));
  copyFileSync(binary, join(context, 'nats-server'));
  const config = brokerConfig({ port: INSIDE_PORT, storeDir: '/data' });
  // Within the container the loopback address is nobody else's.
  writeFileSync(join(context, 'nats.conf'), config.replace('127.0.0.1', '0.0.0.0'));
  writeFileSync(
    join(context, 'Dockerfile'),
    'FROM scratch\nCOPY nats-server nats.conf /\nENTRYPOINT ["/nats-server", "-c", "/nats.conf"]\n',
  );
  const image = await GenericContainer.fromDockerfile(context).build('natter-test-broker', {
    deleteOnExit: false,
  });
  rmSync(context, { recursive: true, force: true });

  // A fixed port: Docker gives a restarted container another one.
  const port = await freePort();
  const container: StartedTestContainer = await image
    .withExposedPorts({ container: INSIDE_PORT, host: port })
    .withWaitStrategy(Wait.forLogMessage(/Server is ready/))
    .start();
  const id = container.getId();
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    pause: () => docker('pause', id),
    resume: () => docker('unpause', id),
    async killAndRestart() {
      docker('kill', '--signal', 'KILL', id);
      docker('start', id);
    },
    async stop() {
      await container.stop();
    },
  };
}

function docker(...args: string[]): void {
  const result = spawnSync('docker', args, { encoding: 'utf8', timeout: 60_000 });
  if (result.status !== 0) throw new Error(`docker ${args[0]} failed: ${result.stderr}`);
}
