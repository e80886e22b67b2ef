/** The Python that has what the FastAPI peer needs. */
import { spawnSync } from 'node:child_process';

/** Debian's packages serve Debian's python3; another one may stand before it on PATH. */
const CANDIDATES = ['python3', '/usr/bin/python3'];
const LOOK_MS = 10_000;
/** Prints versions, and what uvicorn takes for its loop and for HTTP. */
const PROGRAM = `
import json, platform, fastapi, uvicorn, websockets, jwt
from importlib.util import find_spec
loop = 'uvloop' if find_spec('uvloop') else 'asyncio'
http = 'httptools' if find_spec('httptools') else 'h11'
print(json.dumps({
  'python': platform.python_version(), 'fastapi': fastapi.__version__,
  'uvicorn': f'{uvicorn.__version__} on {loop} and {http}', 'websockets (Python)': websockets.__version__,
}))`;

export interface Python {
  file: string;
  versions: Record<string, string>;
}

let found: Python | null | undefined;

/** Null where none has all of them. */
export function findPython(): Python | null {
  if (found === undefined) found = look();
  return found;
}

function look(): Python | null {
  for (const file of CANDIDATES) {
    const { status, stdout } = spawnSync(file, ['-c', PROGRAM], { encoding: 'utf8', timeout: LOOK_MS });
    if (status === 0) return { file, versions: JSON.parse(stdout) };
  }
  return null;
}
