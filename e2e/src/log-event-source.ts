/** An EventSource as browsers have it, in a process of its own: it comes back all by itself. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { LogEvent } from './log-event-stream.ts';

/** Its wait before it comes back keeps no process alive, as a page that is open does. */
const PROGRAM = `
setInterval(() => {}, 60_000);
const source = new EventSource(process.argv[1]);
source.onopen = () => console.log('open');
source.onmessage = ({ lastEventId, data }) =>
  console.log(JSON.stringify({ id: lastEventId, data: JSON.parse(data) }));
`;

export interface LogEventSource {
  events: LogEvent[];
  /** How often it has connected. */
  opened(): number;
  close(): Promise<void>;
}

export function startEventSource(url: string): LogEventSource {
  const flags = ['--experimental-eventsource', '--disable-warning=UNDICI-ES'];
  const child = spawn(process.execPath, [...flags, '-e', PROGRAM, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  const events: LogEvent[] = [];
  let opened = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'open') opened += 1;
    else events.push(JSON.parse(line));
  });
  const close = () => {
    child.kill();
    return ended;
  };
  return { events, opened: () => opened, close };
}
