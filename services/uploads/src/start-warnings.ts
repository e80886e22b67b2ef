/** What a start warns of and goes on: a scanner that doesn't answer, a broker that takes no whole part. */
import type { Logger } from '@natter/runtime';
import type { UploadsConfig } from './config.ts';
import type { Scanner } from './ports.ts';

type PayloadConfig = Pick<UploadsConfig, 'maxChunkSize' | 'replicas'>;

/** Beside a part or a piece of a file: what is asked, and the broker's headers. */
const BESIDE_BYTES = 64 * 1024;
/** Files in NATS are kept, and read, in messages of this size, whatever MAX_CHUNK_SIZE is. */
const STORED_MESSAGE_BYTES = 1024 * 1024;
/** The leader of a stream, asked where there are several copies, answers in base64. */
const BASE64 = 4 / 3;

/** What the broker's max_payload must be for parts of this size. */
export function neededPayload({ maxChunkSize, replicas }: PayloadConfig): number {
  const part = replicas > 1 ? Math.ceil(maxChunkSize * BASE64) : maxChunkSize;
  return Math.max(part, STORED_MESSAGE_BYTES) + BESIDE_BYTES;
}

export function warnOfPayload(maxPayload: number, config: PayloadConfig, log: Pick<Logger, 'warn'>): void {
  const needed = neededPayload(config);
  if (maxPayload >= needed) return;
  log.warn(
    { maxPayload, needed, maxChunkSize: config.maxChunkSize },
    "the broker's max_payload is too small for parts of uploads: set max_payload: 2MB in its configuration",
  );
}

/** Asks once. Files wait in quarantine until the scanner answers, so the start doesn't wait for it. */
export async function warnOfScanner(
  scanner: Pick<Scanner, 'ping'>,
  address: string,
  log: Pick<Logger, 'warn'>,
): Promise<void> {
  const reason = await scanner.ping();
  if (reason !== null)
    log.warn({ clamd: address, reason }, 'clamd does not answer: files wait in quarantine until it does');
}
