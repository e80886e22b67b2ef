/** Metrics of several processes as one text, each sample with the label `process`. */

export interface ProcessMetrics {
  process: string;
  /** Prometheus text format 0.0.4, as our Metrics write it. */
  text: string;
}

interface Family {
  head: string[];
  samples: string[];
}

/**
 * Samples keep their values: summed, a counter would fall when a process starts again from 0,
 * while the series of one process is simply reset, which `rate()` knows.
 *
 * All samples of a metric stand together, as the format demands.
 */
export function mergeMetrics(all: readonly ProcessMetrics[]): string {
  const families = new Map<string, Family>();
  for (const { process, text } of all) {
    let family: Family | null = null;
    let [current, isNew] = ['', false];
    for (const line of text.split('\n')) {
      const name = /^# (?:HELP|TYPE) (\S+)/.exec(line)?.[1];
      if (name !== undefined) {
        if (name !== current) {
          [current, isNew] = [name, !families.has(name)];
          family = families.get(name) ?? { head: [], samples: [] };
          families.set(name, family);
        }
        if (isNew) family?.head.push(line);
      } else if (line !== '' && !line.startsWith('#')) family?.samples.push(labelled(line, process));
    }
  }
  return [...families.values()].map(({ head, samples }) => [...head, ...samples, ''].join('\n')).join('\n');
}

function labelled(sample: string, process: string): string {
  const label = `process="${process}"`;
  const end = /[{ ]/.exec(sample)?.index ?? sample.length;
  if (sample[end] !== '{') return `${sample.slice(0, end)}{${label}}${sample.slice(end)}`;
  const comma = sample[end + 1] === '}' ? '' : ',';
  return `${sample.slice(0, end)}{${label}${comma}${sample.slice(end + 1)}`;
}
