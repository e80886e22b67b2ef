/** What `npm run logs` prints for an event of the stream. */
import { GENERAL } from '@natter/proto';
import { formatLine } from '../start/log-printer.ts';
import { printable } from '../start/printable.ts';

/** SGR parameters; a level that is not here is printed plain. */
const FAINT = '2';
const COLOURS = new Map<unknown, string>([
  ['trace', FAINT],
  ['debug', FAINT],
  ['warn', '33'],
  ['error', '31'],
  ['fatal', '1;31'],
]);

export interface PrintOptions {
  json: boolean;
  colour: boolean;
}

/** `data` is a line with `format=full`, or a gap; what is neither is shown as it is. */
export function printedLine(data: string, { json, colour }: PrintOptions): string {
  const event = parse(data);
  if (json) return printable(JSON.stringify(event ?? { log: data }));
  const paint = (text: string, sgr: string | undefined) =>
    colour && sgr !== undefined ? `\u001b[${sgr}m${text}\u001b[0m` : text;
  if (event !== null && 'gap' in event) return paint(gapText(event.gap), FAINT);
  if (typeof event?.log !== 'string') return printable(data);
  return paint(textOf(event), COLOURS.get(event.level));
}

function textOf({ log, level, service, category, time, trace_id, fields }: Record<string, unknown>): string {
  const named = {
    ...(category === GENERAL ? {} : { category }),
    ...(trace_id ? { traceId: trace_id } : {}),
  };
  const line = { ...(fields as object | undefined), level, time, msg: log, ...named };
  return formatLine(typeof service === 'string' ? service : '?', JSON.stringify(line));
}

/** Null: nobody knows how many. */
function gapText(gap: unknown): string {
  return typeof gap !== 'number'
    ? '… lines are missing here'
    : `… ${gap} line${gap === 1 ? '' : 's'} missing here`;
}

function parse(data: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
