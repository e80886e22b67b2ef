/** Writes PDF files for tests. */

/** A PDF of one page per text, with its text uncompressed in Helvetica. */
export function pdfOf(pages: string[]): Uint8Array {
  return pdfWith(
    pages.map((page) => ({
      content: text(`BT /F1 12 Tf 20 100 Td (${page.replace(/[()\\]/g, '\\$&')}) Tj ET`),
    })),
  );
}

/** A PDF whose pages have these content streams; `filter` as a PDF array of names, such as `/FlateDecode`. */
export function pdfWith(streams: { content: Uint8Array; filter?: string }[]): Uint8Array {
  const kids = streams.map((_, index) => `${4 + index * 2} 0 R`).join(' ');
  const objects: Uint8Array[] = [
    text('<< /Type /Catalog /Pages 2 0 R >>'),
    text(`<< /Type /Pages /Kids [${kids}] /Count ${streams.length} >>`),
    text('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>'),
  ];
  for (const [index, { content, filter }] of streams.entries()) {
    objects.push(
      text(
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents ${5 + index * 2} 0 R ` +
          '/Resources << /Font << /F1 3 0 R >> >> >>',
      ),
    );
    const filters = filter === undefined ? '' : ` /Filter [${filter}]`;
    objects.push(
      Buffer.concat([
        text(`<< /Length ${content.length}${filters} >>\nstream\n`),
        content,
        text('\nendstream'),
      ]),
    );
  }
  return pdfFile(objects);
}

function pdfFile(objects: Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [text('%PDF-1.4\n')];
  const offsets: number[] = [];
  let at = parts[0]!.length;
  for (const [index, object] of objects.entries()) {
    const whole = Buffer.concat([text(`${index + 1} 0 obj\n`), object, text('\nendobj\n')]);
    offsets.push(at);
    at += whole.length;
    parts.push(whole);
  }
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const size = objects.length + 1;
  parts.push(
    text(
      `xref\n0 ${size}\n0000000000 65535 f \n${table}trailer\n<< /Size ${size} /Root 1 0 R >>\n` +
        `startxref\n${at}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}

function text(value: string): Uint8Array {
  return Buffer.from(value, 'latin1');
}
