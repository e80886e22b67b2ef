/** Arguments of Node for a process that runs our TypeScript files. */
export const NODE_ARGUMENTS: readonly string[] = [
  '--disable-warning=ExperimentalWarning',
  `--import=${new URL('../strip-types/register.mjs', import.meta.url).href}`,
];
