/** A Markdown table. */
export function table(head: string[], rows: string[][]): string {
  const cells = [head, head.map(() => '---'), ...rows.map((row) => row.map(escapeCell))];
  return `${cells.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n`;
}

/** A bar would begin a cell, a line break end the row. */
function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
