/**
 * Where every process and thread of Loadpath begins: `require('…/start.cjs')(entry)` evaluates the module `entry` and
 * returns what it exports.
 *
 * The modules stand together in one script (`nodes.cjs` what a live node is made of, `all.cjs` everything), each of
 * them evaluated when it is first asked for, and beside a script lies what the engine made of it when Loadpath was
 * built: what runs while a process starts need not be compiled again. That is the larger half of what starting one costs.
 * The engine takes no code of another version, or made under other flags; what is damaged or missing is done without.
 */
'use strict';

const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { Script } = require('node:vm');
const { isMainThread } = require('node:worker_threads');
const { crc32 } = require('node:zlib');

const scripts = { nodes: undefined, all: undefined };
const codeFile = (part) => join(__dirname, `${part}.${process.versions.v8}-${process.arch}.code`);

/** `parts`: whose code to begin with, the first that there is. */
function scriptOf(name, parts) {
  const filename = join(__dirname, `${name}.cjs`);
  let cachedData;
  for (const part of parts) cachedData ??= codeIn(codeFile(part));
  // All ASCII: read as such, a letter takes one byte.
  const source = readFileSync(filename, 'latin1');
  // Under a name that is the same wherever it lies: what was kept of it has the name that it was made under.
  const script = new Script(source, { filename: `loadpath/dist/linked/${name}.cjs`, cachedData });
  const module = { exports: {} };
  const here = (file) => new URL(file, pathToFileURL(filename)).href;
  // A script of its own has no `import()`.
  const importing = (address) => import(address);
  script.runInThisContext()(module.exports, require, module, here, importing);
  return { script, entries: module.exports };
}

/** The engine itself believes what it is given: what a crash left half written must not reach it. */
function codeIn(file) {
  try {
    const bytes = readFileSync(file);
    const end = bytes.length - 4;
    return crc32(bytes.subarray(0, end)) === bytes.readUInt32LE(end)
      ? bytes.subarray(0, end)
      : undefined;
  } catch {
    return undefined; // None was made for this version of Node.
  }
}

/** A process that began as a node stays with what nodes need, as far as that goes. */
module.exports = function start(entry) {
  if (entry === 'run/node/plain-child') {
    const [, , , kind = ''] = process.argv;
    scripts.nodes ??= scriptOf(
      'nodes',
      /^\w+$/.test(kind) ? [`nodes-${kind}`, 'nodes'] : ['nodes'],
    );
  }
  const isOfNode = entry === 'run/node/child' || (scripts.nodes && entry in scripts.nodes.entries);
  return entriesOf(isOfNode ? 'nodes' : 'all')[entry]();
};

/** For the build: what a script has, and a way to keep what the engine has made of it by now, as that of `part`. */
module.exports.entriesOf = entriesOf;
module.exports.keep = function keep(name, part) {
  const code = scripts[name].script.createCachedData();
  const end = Buffer.alloc(4);
  end.writeUInt32LE(crc32(code));
  writeFileSync(codeFile(part), Buffer.concat([code, end]));
};

function entriesOf(name) {
  // Threads simulate, under flags of their own.
  scripts[name] ??= scriptOf(name, [isMainThread ? name : `${name}-thread`]);
  return scripts[name].entries;
}
