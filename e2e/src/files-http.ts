/** The HTTP side of files, for tests: one request about one file, whatever its answer. */

export interface FileAnswer {
  status: number;
  headers: Headers;
  bytes: Buffer;
  /** `code` of a refusal; null of anything else. */
  code: string | null;
}

export interface FileRequest {
  method?: 'GET' | 'HEAD' | 'DELETE';
  headers?: Record<string, string>;
}

/** The whole answer of `/api/v1/files/<id>`; never throws for a status. */
export async function askFile(
  httpUrl: string,
  token: string,
  id: string,
  { method = 'GET', headers = {} }: FileRequest = {},
): Promise<FileAnswer> {
  const response = await fetch(`${httpUrl}/api/v1/files/${encodeURIComponent(id)}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const code = response.status >= 400 && bytes.length > 0 ? codeIn(bytes) : null;
  return { status: response.status, headers: response.headers, bytes, code };
}

function codeIn(body: Buffer): string {
  return (JSON.parse(body.toString()) as { code: string }).code;
}
