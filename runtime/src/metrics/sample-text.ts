/** Lines of the Prometheus text format 0.0.4. */

/** `name{label="value",…}`: what a sample's line begins with. */
export function seriesText(name: string, labels: readonly (readonly [string, string])[]): string {
  return `${name}{${labels.map(([label, value]) => `${label}="${escaped(value)}"`).join(',')}}`;
}

/** The two lines before a metric's samples. */
export function headText(name: string, help: string, type: string): string {
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
