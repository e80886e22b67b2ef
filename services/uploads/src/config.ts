/** Settings of the uploads service. */
import { join, resolve } from 'node:path';
import { LIMITS } from '@natter/proto';
import type { BaseConfig } from '@natter/runtime';
import { ConfigError, type ConfigOf, kinds, setting } from '@natter/runtime/config';
import { type ClamdAddress, clamdAddress } from './scan/clamd-address.ts';

/** As many messages of an object as a record names; files are kept in messages of 1 MiB. */
const MOST_FILE_BYTES = LIMITS.chunksPerUpload * 1024 * 1024;
/** Also in base64, as the leader of a stream answers, it stays below max_payload (2 MB). */
const MOST_CHUNK_BYTES = 1_048_576;

/** So eight users at least fill the 2 GiB of CHUNKS. */
const UNFINISHED_BYTES = 268_435_456;

export const UPLOADS_SETTINGS = {
  root: setting(
    'NATTER_ROOT',
    kinds.string('.'),
    'Folder from which relative paths count; the npm scripts set it to the repository. Unset: the working directory.',
    { defaultDoc: 'working directory' },
  ),
  env: setting(
    'NATTER_ENV',
    kinds.choice(['production', 'development'], 'production'),
    'In production files are scanned unless VIRUS_SCAN_ENABLED says otherwise. `npm start` sets development when unset.',
  ),
  maxFileSize: setting(
    'MAX_FILE_SIZE',
    kinds.integer(52_428_800, 1, MOST_FILE_BYTES),
    'Most bytes of an uploaded file; the same for gateways.',
  ),
  maxChunkSize: setting(
    'MAX_CHUNK_SIZE',
    kinds.integer(MOST_CHUNK_BYTES, 1_024, MOST_CHUNK_BYTES),
    'Most bytes of one part of an upload; the same for gateways. It must stay well below max_payload of the broker, which is 2 MB under `npm start`.',
  ),
  uploadDir: setting(
    'UPLOAD_DIR',
    kinds.optional(),
    'Folder for finished files; with several instances one that all of them share. Unset: files are in the object store of NATS. Files stay where they were stored when this is changed.',
  ),
  tempDir: setting(
    'TEMP_DIR',
    kinds.optional(),
    'Folder for files that are being written, on the same file system as UPLOAD_DIR. Unset: `temp` in UPLOAD_DIR. Not used without UPLOAD_DIR.',
  ),
  virusScan: setting(
    'VIRUS_SCAN_ENABLED',
    kinds.optionalFlag(),
    'Every file is scanned by clamd (NATTER_CLAMD), and served only once it was found clean; while clamd does not answer, files wait in quarantine. Off: no file is scanned.',
    { defaultDoc: 'false in development, else true' },
  ),
  clamd: setting(
    'NATTER_CLAMD',
    kinds.string('tcp://127.0.0.1:3310').refine((value) => clamdSetting(value) !== null, {
      error: 'must be tcp://host:port or unix:/path',
    }),
    'Where clamd listens: `tcp://host:port` or `unix:/path`; on Debian `unix:/var/run/clamav/clamd.ctl`. In clamd.conf StreamMaxLength, MaxFileSize and MaxScanSize must be above MAX_FILE_SIZE, and `AlertExceedsMax yes` be set: else larger files wait in quarantine, or are called clean unread.',
  ),
  rescanSeconds: setting(
    'NATTER_RESCAN_SECONDS',
    kinds.integer(30, 1, 86_400),
    'A file that the scanner could not judge is kept in quarantine, and scanned again after so many seconds.',
  ),
  quotaBytes: setting(
    'NATTER_UPLOAD_QUOTA_BYTES',
    kinds.integer(1_073_741_824, 1, Number.MAX_SAFE_INTEGER),
    `Bytes of all files and uploads under way of one user; at most ${LIMITS.filesPerUser} of them.`,
  ),
  unfinishedBytes: setting(
    'NATTER_UPLOAD_UNFINISHED_BYTES',
    kinds.integer(UNFINISHED_BYTES, 1, Number.MAX_SAFE_INTEGER),
    'Bytes of all unfinished uploads of one user, at least MAX_FILE_SIZE; 2 GiB are there for those of all users.',
  ),
  textExtraction: setting(
    'NATTER_TEXT_EXTRACTION',
    kinds.flag(true),
    'Text of files in conversations is extracted, so that agents can search it.',
  ),
};

export type UploadsConfig = ConfigOf<typeof UPLOADS_SETTINGS> & BaseConfig;

/** Scanning is on in production and off by default elsewhere. Source: seeds/004, lines 329, 588 and 601. */
export function scansFiles({ env, virusScan }: Pick<UploadsConfig, 'env' | 'virusScan'>): boolean {
  return virusScan ?? env === 'production';
}

/** Throws ConfigError where no file of MAX_FILE_SIZE would fit. */
export function mostUnfinishedBytes({
  unfinishedBytes,
  maxFileSize,
}: Pick<UploadsConfig, 'unfinishedBytes' | 'maxFileSize'>): number {
  if (unfinishedBytes < maxFileSize)
    throw new ConfigError(['NATTER_UPLOAD_UNFINISHED_BYTES must not be below MAX_FILE_SIZE']);
  return unfinishedBytes;
}

/** Reads `tcp://host:port` or `unix:/path`; null for anything else. */
export function clamdSetting(text: string): ClamdAddress | null {
  const [, address] = /^(?:tcp:\/\/([^/].*)|unix:(?=\/)(.*))$/.exec(text)?.filter(Boolean) ?? [];
  return address === undefined ? null : clamdAddress(address);
}

/** The folders of finished and unfinished files, absolute; null: NATS keeps them. */
export function uploadFolders(
  config: Pick<UploadsConfig, 'root' | 'uploadDir' | 'tempDir'>,
): { dir: string; tempDir: string } | null {
  if (config.uploadDir === null) return null;
  const dir = resolve(config.root, config.uploadDir);
  return { dir, tempDir: config.tempDir === null ? join(dir, 'temp') : resolve(config.root, config.tempDir) };
}
