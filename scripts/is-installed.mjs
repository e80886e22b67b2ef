/**
 * Whether node_modules holds what the lock file says.
 *
 * Plain JavaScript without imports: run.mjs needs it before anything is installed.
 */

/**
 * Compares package-lock.json with npm's own record of what it installed.
 *
 * Both are `packages` of the two files. Optional packages don't count: npm leaves out those of
 * other platforms.
 *
 * @param {Record<string, { version?: string, link?: boolean, optional?: boolean }>} wanted
 * @param {Record<string, { version?: string }>} present
 */
export function isInstalled(wanted, present) {
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith('node_modules/') || entry.optional) return true;
    return entry.link ? path in present : present[path]?.version === entry.version;
  });
}
