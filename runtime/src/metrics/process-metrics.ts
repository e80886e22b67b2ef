/**
 * What a process uses, under the names that Prometheus clients share.
 *
 * All of it is read when somebody asks: a look at the event loop every 10 ms, as prom-client takes
 * for its percentiles of lag, was 7 of the 8 ms of CPU a second of a gateway with 5,000 idle connections.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { Gauge } from './gauge.ts';

export function processMetrics(): Gauge[] {
  const gauge = (name: string, help: string, read: () => number) => new Gauge(name, help, read);
  const counter = (name: string, help: string, read: () => number) => new Gauge(name, help, read, 'counter');
  const startedAt = performance.timeOrigin / 1_000;
  return [
    counter('process_cpu_user_seconds_total', 'CPU time outside the kernel.', () => cpuSeconds().user),
    counter('process_cpu_system_seconds_total', 'CPU time in the kernel.', () => cpuSeconds().system),
    counter('process_cpu_seconds_total', 'CPU time.', () => cpuSeconds().user + cpuSeconds().system),
    gauge('process_start_time_seconds', 'When the process started, since 1970.', () => startedAt),
    gauge('process_resident_memory_bytes', 'Memory in RAM.', () => process.memoryUsage.rss()),
    gauge('process_open_fds', 'Open files and sockets.', openFiles),
    gauge('process_max_fds', 'Files and sockets that may be open.', maxOpenFiles),
    gauge('nodejs_heap_size_total_bytes', 'Heap of V8.', () => process.memoryUsage().heapTotal),
    gauge('nodejs_heap_size_used_bytes', 'Used heap of V8.', () => process.memoryUsage().heapUsed),
    gauge('nodejs_external_memory_bytes', 'Memory of buffers.', () => process.memoryUsage().external),
    counter(
      'nodejs_eventloop_active_seconds_total',
      'Time in which the event loop did not wait; its rate is how busy it is.',
      () => performance.eventLoopUtilization().active / 1_000,
    ),
  ];
}

function cpuSeconds(): { user: number; system: number } {
  const { user, system } = process.cpuUsage();
  return { user: user / 1e6, system: system / 1e6 };
}

/** NaN where there is no /proc. */
function openFiles(): number {
  try {
    // One of them is the folder that is being read.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return Number.NaN;
  }
}

function maxOpenFiles(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
  } catch {
    return Number.NaN;
  }
}
