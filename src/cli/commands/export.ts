import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import {
  type Exported,
  exportFor,
  products,
  remarksPage,
  type Server,
  type Target,
} from '../../design/export/index.ts';
import { typescriptOf } from '../../design/typescript.ts';
import { refuse } from '../../kit/errors.ts';
import { readJson } from '../json-file.ts';
import { collect, Given, type RawOptions } from '../options.ts';
import { ending, loadRunner, outStyle, print, printJson } from '../session.ts';
import { wrap } from '../style.ts';
import { setOption, settingsGiven } from './load-options.ts';

export function addExport(program: Command): void {
  program
    .command('export')
    .summary('a design as a configuration for nginx, HAProxy or Envoy, or as TypeScript')
    .description(
      'With --for, writes a gateway of the design as the configuration of a proxy that exists, and says what\nthat proxy cannot do or does in another way. Without it, writes a design that is JSON as TypeScript: the\nsame system, the same runs, ready for handlers of your own in place of what is modelled.',
    )
    .argument('<design>', 'a design file or folder; without --for a design of data')
    .option('--for <product>', `the proxy: ${products.join(', ')}`)
    .option(
      '--target <service=host:port,…>',
      'where a service listens, service@release=… for one release; may be repeated (default: its name, port 8080)',
      collect,
    )
    .option('--listen <host:port>', "where the proxy listens (default: the gateway's port)")
    .option('--gateway <name>', 'which gateway, where a design has several')
    .option(...setOption)
    .option('--json', 'with --for: print configuration and remarks as JSON')
    .option(
      '--out <path>',
      'with --for a folder, else a file; what is written must not be there yet (default: standard output)',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath export examples/shortener --for nginx --target api=127.0.0.1:9001,127.0.0.1:9002
  $ loadpath export examples/shortener --for haproxy --out proxy && haproxy -f proxy/haproxy.cfg
  $ loadpath export examples/three-tier/design.json
  $ loadpath export shop.json --out design.ts && loadpath sim design.ts
`,
    )
    .action(
      ending(async (path: string, raw: RawOptions) => {
        const given = new Given(raw);
        const product = given.choice('for', products);
        if (!given.has('for')) return writeTypescript(path, given);
        const targets = targetsGiven(given);
        const listen = given.has('listen') ? serverGiven(given) : undefined;
        const set = settingsGiven(given);
        given.check();
        const view = await (await loadRunner()).inspect(path, set);
        const gateway = given.text('gateway');
        const exported = exportFor(product!, view, { gateway, listen, targets });
        const out = given.text('out');
        if (given.flag('json')) printJson(exported);
        else if (out === undefined) {
          print(exported.text);
          process.stderr.write(`${remarksText(exported)}\n`);
        } else {
          mkdirSync(out, { recursive: true });
          writeNew(join(out, exported.file), exported.text);
          writeNew(join(out, 'REMARKS.md'), remarksPage(exported));
          print(`${join(out, exported.file)} and ${join(out, 'REMARKS.md')} are written.`);
          print(remarksText(exported));
        }
        return 0;
      }),
    );
}

function writeTypescript(path: string, given: Given): number {
  for (const name of ['target', 'listen', 'gateway', 'set', 'json']) {
    if (given.has(name)) given.problem(name, 'is for a proxy: say which with --for');
  }
  given.check();
  const code = typescriptOf(readJson(path));
  const out = given.text('out');
  if (out === undefined) {
    print(code);
    return 0;
  }
  writeNew(out, code);
  print(`${out} is written.`);
  return 0;
}

function writeNew(path: string, text: string): void {
  if (existsSync(path)) {
    refuse('bad-option', 'the command line', [{ at: '--out', what: `${path} is there already` }]);
  }
  writeFileSync(path, text);
}

/** `api=127.0.0.1:9001,127.0.0.1:9002`, `api@v2=10.0.0.3:80`. */
function targetsGiven(given: Given): Readonly<Record<string, readonly Target[]>> {
  const targets: Record<string, Target[]> = {};
  for (const text of given.texts('target')) {
    const [, service, release, list] = /^([^=@\s]+)(?:@([^=\s]+))?=(.+)$/.exec(text.trim()) ?? [];
    const servers = (list ?? '').split(',').map((one) => serverOf(one.trim()));
    if (service === undefined || servers.includes(undefined)) {
      given.problem(
        'target',
        `must be service=host:port,…, such as api=127.0.0.1:9001, got '${text}'`,
      );
      continue;
    }
    targets[service] ??= [];
    for (const server of servers) if (server) targets[service].push({ ...server, release });
  }
  return targets;
}

function serverGiven(given: Given): Server | undefined {
  const text = given.text('listen') ?? '';
  const found = serverOf(text);
  return (
    found ?? given.problem('listen', `must be host:port, such as 127.0.0.1:8080, got '${text}'`)
  );
}

/** A name, an IPv4 address, or an IPv6 address in brackets, and a port. */
function serverOf(text: string): Server | undefined {
  const [, host, port] = /^([A-Za-z0-9_.*-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { host, port: Number(port) };
}

function remarksText({ product, gateway, remarks }: Exported): string {
  if (remarks.length === 0) return `${product} does all that ${gateway} does.`;
  const lines = [outStyle.strong(`What ${product} does otherwise than ${gateway}`)];
  for (const { option, kind, instead, why } of remarks) {
    lines.push('', `  ${kind} ${outStyle.strong(option)}: ${instead}`);
    lines.push(...wrap(`    ${why}`, 98, '    ').split('\n'));
  }
  return lines.join('\n');
}
