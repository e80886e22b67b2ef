/** Reads one figure from the internal port of a service. */
import type { ServiceProcess } from '@natter/testkit';

/** The value of a metric whose labels contain `label`, 0 when there is none; throws unless 200. */
export async function readMetric(service: ServiceProcess, name: string, label = ''): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${service.ports.internal}/metrics`);
  if (!response.ok) throw new Error(`${service.name} answered ${response.status} to /metrics`);
  const lines = (await response.text()).split('\n');
  const line = lines.find((text) => text.startsWith(`${name}{`) && text.includes(label));
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ') + 1));
}

/** The same over all labels, but for lines with `without`. */
export async function sumMetric(service: ServiceProcess, name: string, without?: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${service.ports.internal}/metrics`);
  if (!response.ok) throw new Error(`${service.name} answered ${response.status} to /metrics`);
  const lines = (await response.text())
    .split('\n')
    .filter((text) => text.startsWith(`${name}{`) && (without === undefined || !text.includes(without)));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
