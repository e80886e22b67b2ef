/** The modules a TypeScript source names: static, type-only, re-exported and dynamic imports. */

const STATEMENT = /(?:^|[\n;])\s*(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])([^'"\n]+)\1/g;
const BARE = /(?:^|[\n;])\s*import\s*(['"])([^'"\n]+)\1/g;
const DYNAMIC = /\bimport\(\s*(['"])([^'"\n]+)\1/g;

export function importsOf(source: string): string[] {
  const code = withoutComments(source);
  const found = [STATEMENT, BARE, DYNAMIC].flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => match[2] as string),
  );
  return [...new Set(found)];
}

/** Good enough for import lines: a comment that quotes an import is not one. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
