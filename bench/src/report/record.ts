/** The last full run, figure by figure: results/full.json. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Report } from './report.ts';

/** Null where there is none yet; fails on a file that is no report. */
export function readRecord(file: string): Report | null {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Report) : null;
}

export function writeReport(file: string, report: Report): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 1)}\n`);
}

/**
 * The record with the figures of this run in it; a figure that failed leaves the earlier one.
 *
 * Each figure says when and of which commit it is: a whole run takes most of an hour.
 */
export function updated(record: Report | null, run: Report, order: readonly string[]): Report {
  const figures = new Map((record?.figures ?? []).map((figure) => [figure.name, figure]));
  // What is said of a whole run stands above it; of a part of it, with its figures.
  const isWhole = run.figures.length === order.length;
  for (const figure of run.figures) {
    const warnings = isWhole ? figure.warnings : [...figure.warnings, ...run.warnings];
    if (figure.failed === null) figures.set(figure.name, { ...figure, warnings });
  }
  const place = ({ name }: { name: string }) => order.indexOf(name);
  const known = [...figures.values()].filter(({ name }) => order.includes(name));
  const sorted = known.sort((a, b) => place(a) - place(b));
  const versions = { ...record?.versions, ...run.versions };
  return {
    ...run,
    versions,
    warnings: isWhole ? run.warnings : (record?.warnings ?? []),
    seconds: sorted.reduce((sum, { seconds }) => sum + seconds, 0),
    figures: sorted,
  };
}
