/** Looks for nginx and its module nchan, where Debian puts them. */
import { existsSync } from 'node:fs';
import { findProgram } from '../find-program.ts';

export const NCHAN_MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so';

/** Path of nginx, or null where it or the module is missing. */
export function findNginx(): string | null {
  return existsSync(NCHAN_MODULE) ? findProgram('nginx') : null;
}
