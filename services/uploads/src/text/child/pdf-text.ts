/** The text of a PDF, page by page. */
import { getDocumentProxy } from 'unpdf';

/** A document with more pages is a register; its first pages will do. */
const MAX_PAGES = 2_000;

/**
 * Hands each page's text to `add` until that returns false. Throws where it is no PDF or needs a password.
 *
 * The library has no bound on memory: it inflates a stream whole. Whoever calls it has to have one.
 */
export async function pdfText(bytes: Uint8Array, add: (text: string) => boolean): Promise<void> {
  const document = await getDocumentProxy(bytes, {
    verbosity: 0,
    // Fonts are only there to be drawn, and would be looked for on this machine.
    useSystemFonts: false,
    disableFontFace: true,
    // Pictures are no text: larger ones than a pixel are not decoded.
    maxImageSize: 1,
  });
  const pages = Math.min(document.numPages, MAX_PAGES);
  for (let number = 1; number <= pages; number += 1) {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent();
    const lines = items.map((item) => ('str' in item ? `${item.str}${item.hasEOL ? '\n' : ''}` : ''));
    page.cleanup();
    if (!add(`${lines.join('')}\n`)) return;
  }
}
