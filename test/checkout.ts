/** The files of this checkout, for the tests that keep it tidy. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript-api';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const notOurs = new Set(['node_modules', 'dist', 'coverage', '.git', '.cache', '.loadpath']);

/** Paths from the root, with forward slashes, sorted. */
export const files: readonly string[] = walk(root).sort();

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (notOurs.has(entry.name)) return [];
    if (entry.isDirectory()) return walk(path);
    return entry.isFile() ? [relative(root, path).split(sep).join('/')] : [];
  });
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function exists(path: string): boolean {
  return existsSync(join(root, path));
}

/** TypeScript files under `folders`. */
export function sources(...folders: readonly string[]): string[] {
  return files.filter(
    (path) => /\.tsx?$/.test(path) && folders.some((folder) => path.startsWith(`${folder}/`)),
  );
}

/** Tests, contracts that tests run, and what only they use. */
export function isTest(path: string): boolean {
  return /\.(test|contract|fixture)\.tsx?$/.test(path) || /(^|\/)(testdata|test)\//.test(path);
}

const parsed = new Map<string, ts.SourceFile>();

export function parse(path: string): ts.SourceFile {
  let file = parsed.get(path);
  if (!file) {
    file = ts.createSourceFile(path, read(path), ts.ScriptTarget.ES2023, true);
    parsed.set(path, file);
  }
  return file;
}

export interface Import {
  /** As written: `../kit/heap.ts`, `node:fs`, `hono`. */
  readonly name: string;
  /** Where a relative one points, from the root. */
  readonly path: string | undefined;
  readonly typeOnly: boolean;
  readonly line: number;
}

const imported = new Map<string, readonly Import[]>();

/** Static and dynamic imports, and re-exports. */
export function importsOf(path: string): readonly Import[] {
  let found = imported.get(path);
  if (!found) {
    found = importsIn(path);
    imported.set(path, found);
  }
  return found;
}

function importsIn(path: string): readonly Import[] {
  const file = parse(path);
  const found: Import[] = [];
  const add = (name: string, typeOnly: boolean, node: ts.Node) => {
    // What follows a question mark tells the bundler how, not what.
    const [place = name] = name.split('?');
    const target = place.startsWith('.') ? posix.join(posix.dirname(path), place) : undefined;
    found.push({ name, path: target, typeOnly, line: lineOf(file, node) });
  };
  visit(file, (node) => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      add(node.moduleSpecifier.text, isTypeOnly(node), node);
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      if (ts.isStringLiteral(node.moduleSpecifier)) {
        add(node.moduleSpecifier.text, node.isTypeOnly, node);
      }
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const name = node.arguments[0];
      if (name && ts.isStringLiteral(name)) add(name.text, false, node);
    }
  });
  return found;
}

function isTypeOnly(node: ts.ImportDeclaration): boolean {
  const clause = node.importClause;
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const names = clause.namedBindings;
  return (
    clause.name === undefined &&
    names !== undefined &&
    ts.isNamedImports(names) &&
    names.elements.length > 0 &&
    names.elements.every((element) => element.isTypeOnly)
  );
}

export function visit(node: ts.Node, look: (node: ts.Node) => void): void {
  look(node);
  ts.forEachChild(node, (child) => visit(child, look));
}

export function lineOf(file: ts.SourceFile, node: ts.Node): number {
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
}
