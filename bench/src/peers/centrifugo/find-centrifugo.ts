/** Looks for Centrifugo where `go install` puts it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { findProgram } from '../find-program.ts';

/** Path of centrifugo, on PATH or in Go's folder of programs, or null. */
export function findCentrifugo(): string | null {
  const { status, stdout } = spawnSync('go', ['env', 'GOPATH'], { encoding: 'utf8' });
  const folders = status === 0 ? [join(stdout.trim(), 'bin')] : [];
  return findProgram('centrifugo', ...folders);
}
