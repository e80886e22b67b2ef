/** The processes of a gateway that has several, by what Linux says of its children. */
import { readFileSync } from 'node:fs';
import type { ServiceProcess } from './service-process.ts';

export interface GatewayProcessInfo {
  index: number;
  pid: number;
}

/** Those that run now, in the order of their indexes; two of an index while one replaces the other. */
export function gatewayProcesses(gateway: ServiceProcess): GatewayProcessInfo[] {
  const { pid } = gateway;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').map(Number);
  return children
    .flatMap((child) => {
      const [, index] = /--process=(\d+)\//.exec(commandLine(child)) ?? [];
      return index === undefined ? [] : [{ index: Number(index), pid: child }];
    })
    .sort((one, other) => one.index - other.index);
}

/** Whether this process still does anything: one that nobody has waited for yet does not. */
export function isAlive(pid: number): boolean {
  const stat = readProc(pid, 'stat');
  return stat !== '' && !/^\) [ZX]/.test(stat.slice(stat.lastIndexOf(')')));
}

function commandLine(pid: number): string {
  return readProc(pid, 'cmdline');
}

/** Empty when there is no such process any more. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}
