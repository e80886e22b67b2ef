/** How a browser names a file that it is sent. Source: RFC 6266, RFC 8187. */

/** `inline` only where a browser may show it in place; everything else is saved. */
export function contentDisposition(name: string, inline: boolean): string {
  const kind = inline ? 'inline' : 'attachment';
  // What old clients read: no quotes, no escapes that they would see differently.
  const plain = name.replace(/[^\x20-\x7e]|["%\\]/gu, '_');
  return `${kind}; filename="${plain}"; filename*=UTF-8''${extValue(name)}`;
}

/** `encodeURIComponent` leaves four characters that RFC 8187 wants escaped. */
function extValue(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
