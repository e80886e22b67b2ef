/** Lists the knowledge files below a folder. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

export interface KnowledgeFile {
  /** Relative to the folder, with `/`. */
  source: string;
  path: string;
  /** Changes when the content does. */
  fingerprint: string;
}

export interface FolderScan {
  /** Sorted by name. */
  files: KnowledgeFile[];
  /** What was left out and why, one line each; the first hundred. */
  skipped: string[];
}

export const SCAN_LIMITS = {
  fileBytes: 1024 * 1024,
  files: 5_000,
  /** Folders within folders. */
  depth: 16,
  /** AnswerMetadata names sources of at most so many characters. */
  sourceChars: 512,
  skippedLines: 100,
} as const;

const READABLE = /\.(md|markdown|txt)$/i;

/**
 * The Markdown and text files below `root`.
 *
 * Links are followed where they stay inside the folder (a ConfigMap of Kubernetes consists of
 * them), hidden names are passed over, and what is above a limit or can't be read is skipped.
 * Throws when `root` itself can't be read.
 */
export async function scanFolder(root: string): Promise<FolderScan> {
  const scan = new Scan(await realpath(root));
  await scan.folder(scan.root, '', 0);
  scan.files.sort((a, b) => (a.source < b.source ? -1 : 1));
  return { files: scan.files, skipped: scan.skipped.sort() };
}

class Scan {
  readonly root: string;
  readonly files: KnowledgeFile[] = [];
  readonly skipped: string[] = [];
  /** Real paths of folders seen, so that a ring of links ends. */
  readonly #seen = new Set<string>();

  constructor(root: string) {
    this.root = root;
  }

  async folder(path: string, prefix: string, depth: number): Promise<void> {
    if (this.#seen.has(path)) return;
    this.#seen.add(path);
    if (depth > SCAN_LIMITS.depth) return this.#skip(prefix, 'too deep');
    for (const name of await readdir(path)) {
      if (name.startsWith('.') || name === 'node_modules') continue;
      try {
        await this.#entry(join(path, name), prefix + name, depth);
      } catch (error) {
        this.#skip(prefix + name, error instanceof Error ? error.message : String(error));
      }
    }
  }

  async #entry(path: string, source: string, depth: number): Promise<void> {
    const real = await realpath(path);
    if (real !== this.root && !real.startsWith(this.root + sep))
      return this.#skip(source, 'a link that leads out of the folder');
    const stats = await stat(real);
    if (stats.isDirectory()) return this.folder(real, `${source}/`, depth + 1);
    if (!stats.isFile() || !READABLE.test(source)) return;
    if (stats.size > SCAN_LIMITS.fileBytes) return this.#skip(source, 'larger than 1 MiB');
    if (source.length > SCAN_LIMITS.sourceChars) return this.#skip(source, 'path too long');
    if (this.files.length >= SCAN_LIMITS.files)
      return this.#skip(source, `more than ${SCAN_LIMITS.files} files`);
    const fingerprint = `${stats.ino}:${stats.size}:${stats.mtimeMs}`;
    this.files.push({ source, path: real, fingerprint });
  }

  #skip(source: string, why: string): void {
    if (this.skipped.length < SCAN_LIMITS.skippedLines)
      this.skipped.push(`${source.slice(0, SCAN_LIMITS.sourceChars)}: ${why}`);
  }
}
