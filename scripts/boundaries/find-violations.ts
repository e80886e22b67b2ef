/** Every import that crosses a boundary, as one sentence each. */
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { importsOf } from './imports-of.ts';
import { BROWSER_SAFE, ROOMS, TESTS_MAY, VENDORS } from './rules.ts';

export interface Repository {
  /** Source text by path below the root, with `/`. */
  files: Map<string, string>;
  /** Names in dependencies, devDependencies and optionalDependencies, by folder; root is ''. */
  declared: Map<string, Set<string>>;
  /** Folder of each workspace, by package name. */
  workspaces: Map<string, string>;
}

const BUILTINS = new Set(builtinModules);

export function findViolations(repository: Repository): string[] {
  const problems: string[] = [];
  for (const [file, source] of repository.files) {
    for (const specifier of importsOf(source)) {
      const problem = judge(file, specifier, repository);
      if (problem !== null) problems.push(`${file} imports ${specifier}: ${problem}`);
    }
  }
  return problems;
}

function judge(file: string, specifier: string, repository: Repository): string | null {
  if (specifier.startsWith('.')) {
    return judgeRoom(file, posix.join(posix.dirname(file), specifier));
  }
  if (specifier.startsWith('node:') || BUILTINS.has(specifier)) {
    return isIn(file, BROWSER_SAFE.folder) ? 'it must run in a browser, without built-in modules' : null;
  }
  const name = packageName(specifier);
  const workspace = repository.workspaces.get(name);
  if (workspace !== undefined) {
    return judgeRoom(file, workspace) ?? judgeDeclared(file, name, repository, true);
  }
  if (isIn(file, BROWSER_SAFE.folder) && !BROWSER_SAFE.packages.includes(name))
    return `only ${BROWSER_SAFE.packages.join(', ')} may be imported here`;
  const vendor = VENDORS.find((entry) => matches(entry.package, name));
  if (vendor && !vendor.rooms.some((room) => isIn(file, room)))
    return `this package stays in ${vendor.rooms.join(', ')}`;
  return judgeDeclared(file, name, repository, false);
}

/** Whether a file may import a path below the root. */
function judgeRoom(file: string, target: string): string | null {
  const from = roomOf(file);
  const to = roomOf(target);
  // Files at the root are tools: they may name anything in it.
  if (from === null || to === null || from === to) return null;
  const allowed = isTest(file) ? [...from.may, ...TESTS_MAY] : from.may;
  if (allowed.some((part) => isIn(target, part))) return null;
  return `${from.folder} may not import ${to.folder}`;
}

function judgeDeclared(
  file: string,
  name: string,
  repository: Repository,
  isWorkspace: boolean,
): string | null {
  const folder = [...repository.declared.keys()]
    .filter((candidate) => isIn(file, candidate))
    .reduce((longest, candidate) => (candidate.length > longest.length ? candidate : longest), '');
  const declares = (place: string) => repository.declared.get(place)?.has(name) === true;
  if (declares(folder)) return null;
  // npm links every workspace at the root.
  if (folder === '' && isWorkspace) return null;
  // Tests need not repeat the tools that the root and the testkit bring for all of them.
  if (isTest(file) && (isWorkspace ? name === '@natter/testkit' : declares('') || declares('testkit')))
    return null;
  return `${posix.join(folder, 'package.json')} does not declare it`;
}

function isTest(file: string): boolean {
  return /(^|\/)test\//.test(file) || isIn(file, 'testkit') || isIn(file, 'e2e');
}

function roomOf(path: string) {
  return ROOMS.find(({ folder }) => isIn(path, folder)) ?? null;
}

function isIn(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
