import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import { type AccessLog, AccessLogReader, startsOf } from '../../design/accesslog.ts';
import { LoadpathError } from '../../kit/errors.ts';
import type { LoadRequest, Requests } from '../../live/load.ts';
import { exitCode, type Objectives } from '../../run/report.ts';
import { count, ms, perSec } from '../figures.ts';
import { collect, Given, type RawOptions } from '../options.ts';
import { renderReport } from '../render.ts';
import {
  ending,
  interruptible,
  loadRunner,
  outStyle,
  print,
  printJson,
  screen,
  watching,
} from '../session.ts';
import { exitHelp, refuseOwnPace } from './load-options.ts';
import { addressIn, bodyOf, chanceNote, headersOf, tlsOf, withoutSecrets } from './load-request.ts';

export function addLoad(program: Command): void {
  program
    .command('load')
    .summary('send load to a URL, or the workload of a design to where it runs')
    .description(
      'An open-loop load generator: requests start when they are due, whether or not earlier ones were\nanswered, and are timed from then. It says so, and fails, when it could not send what was asked.',
    )
    .argument('<url or design>', 'http://host:port/path, or a design file or folder')
    .option('--rps <rate>', 'requests a second (default: 100, or what the design says)')
    .option('--for <duration>', 'how long (default: 10s, or what the design says)')
    .option('--arrivals <kind>', "'poisson', as users come, or 'constant' (default: poisson)")
    .option('--connections <n>', 'sockets at most (default: 256)')
    .option('--timeout <duration>', 'from the intended start (default: 10s)')
    .option('--method <method>', 'of the requests (default: GET, with a body POST)')
    .option('--header <name: value>', 'sent with every request; may be repeated', collect)
    .option('--insecure', 'with https: whoever answers is trusted')
    .option('--ca <file>', 'with https: trust what this certificate authority signed (PEM)')
    .option('--body <text>', "'@file' reads a file")
    .option('--replay <access.log>', 'send what an access log recorded, at its pace')
    .option('--p99 <duration>', 'objective: fail when p99 is above')
    .option(
      '--availability <share>',
      'objective: fail when fewer are answered below 500 (default: 99%)',
    )
    .option('--url <url>', 'with a design: where its edge listens')
    .option('--seed <n>', 'seed of the arrivals', '1')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath load http://localhost:8080/ --rps 2000 --for 30s --p99 50ms
  $ loadpath load http://localhost:8080/links --body '{"url":"https://example.com"}' --header 'content-type: application/json'
  $ loadpath load http://localhost:8080 --replay access.log
  $ loadpath load examples/shortener --url http://localhost:8080
${exitHelp}`,
    )
    .action(ending(load));
}

async function load(target: string, raw: RawOptions): Promise<number> {
  const url = addressIn(target);
  return url ? loadUrl(url, withoutSecrets(url, target), raw) : loadDesign(target, raw);
}

/** What only a load without a design has to be told. */
const ofUrls = [
  'arrivals',
  'connections',
  'timeout',
  'method',
  'header',
  'body',
  'insecure',
  'ca',
  'p99',
  'availability',
];

async function loadDesign(design: string, raw: RawOptions): Promise<number> {
  const given = new Given(raw);
  const options = {
    forUs: given.duration('for'),
    seed: given.whole('seed') ?? 1,
    faults: [],
    ownFaults: false,
    ratePerSec: given.rate('rps'),
    replayLog: given.text('replay'),
    url: given.text('url'),
  };
  for (const name of ofUrls) {
    if (given.has(name)) given.problem(name, 'a design says that itself');
  }
  refuseOwnPace(given);
  given.check();
  const runner = await loadRunner();
  const report = await interruptible((signal) =>
    runner.load(design, options, watching(signal, 'load')),
  );
  screen.clear();
  if (given.flag('json')) printJson(report);
  else print(renderReport(report, outStyle));
  return exitCode(report);
}

async function loadUrl(url: URL, shown: string, raw: RawOptions): Promise<number> {
  const given = new Given(raw);
  const seed = given.whole('seed') ?? 1;
  const ratePerSec = given.rate('rps') ?? 100;
  const replayLog = given.text('replay');
  const kind = given.choice('arrivals', ['poisson', 'constant']) ?? 'poisson';
  const connectionsMax = given.whole('connections', 1, 60_000) ?? 256;
  const timeoutUs = given.duration('timeout') ?? 10_000_000;
  const headers = headersOf(given, url);
  const tls = tlsOf(given, url);
  const body = bodyOf(given);
  const method = given.text('method')?.toUpperCase() ?? (body === undefined ? 'GET' : 'POST');
  if (!/^[A-Z]+$/.test(method)) given.problem('method', `must be a method such as GET`);
  const objectives: Objectives = {
    p99Us: given.duration('p99'),
    availability: given.number('availability', 0, 1, 'a share such as 0.999 or 99.9%') ?? 0.99,
  };
  const forGiven = given.duration('for');
  if (given.text('url') !== undefined)
    given.problem('url', 'is for designs; this is a URL already');
  refuseOwnPace(given);
  given.check();

  const { arrivals, generateLoad } = await import('../../live/load.ts');
  const { loadReport } = await import('../../run/load.ts');
  const request: LoadRequest = { method, path: `${url.pathname}${url.search}`, body };
  const log = replayLog === undefined ? undefined : await readLog(replayLog);
  const forUs = forGiven ?? (log ? lengthOf(log) : 10_000_000);
  const requests = log ? fromLog(log) : arrivals(ratePerSec, forUs, kind, request, seed);
  const outcome = await interruptible((signal) =>
    generateLoad({
      origin: url.origin,
      requests,
      forUs,
      connectionsMax,
      timeoutUs,
      headers,
      tls,
      signal,
      onSecond: ({ at, completed, failed, rejected, p99Us }) => {
        const errors = failed + rejected;
        screen.status(
          `load · ${at + 1}s of ${Math.ceil(forUs / 1e6)}s · ${perSec(completed)} · p99 ${ms(p99Us / 1_000)}` +
            (errors > 0 ? ` · ${count(errors)} errors` : ''),
        );
      },
    }),
  );
  const report = loadReport(shown, seed, objectives, outcome);
  const notes = [...(log ? badLinesNote(log) : chanceNote(ratePerSec, outcome)), ...report.notes];
  screen.clear();
  if (given.flag('json')) printJson({ ...report, notes });
  else print(renderReport({ ...report, notes }, outStyle));
  return exitCode(report);
}

async function readLog(path: string): Promise<AccessLog> {
  const reader = new AccessLogReader();
  try {
    for await (const piece of createReadStream(path, 'utf8')) reader.push(String(piece));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new LoadpathError('bad-input', `the access log cannot be read: ${why}`, { cause: error });
  }
  const log = reader.end();
  if (log.entries.length === 0) {
    const first = log.badLines[0];
    const hint = first ? `; line ${first.line}: ${first.why}` : '';
    throw new LoadpathError('bad-input', `${path} holds no request${hint}`);
  }
  return log;
}

function lengthOf(log: AccessLog): number {
  const starts = startsOf(log.entries);
  return (starts[starts.length - 1] ?? 0) + 1_000_000;
}

/** Bodies are not in a log: what had one is sent without. */
function* fromLog(log: AccessLog): Requests & Generator<{ atUs: number; request: LoadRequest }> {
  const starts = startsOf(log.entries);
  for (const [index, { method, path, status }] of log.entries.entries()) {
    yield { atUs: starts[index]!, request: { method, path, recordedStatus: status } };
  }
}

function badLinesNote(log: AccessLog): readonly string[] {
  if (log.badCount === 0) return [];
  const lines = log.badLines.slice(0, 5).map(({ line, why }) => `${line} (${why})`);
  return [
    `${count(log.badCount)} lines of the access log were not understood: ${lines.join(', ')}`,
  ];
}
