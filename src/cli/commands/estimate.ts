import type { Command } from 'commander';
import {
  type Estimate,
  type EstimateInput,
  type EstimatePart,
  estimateDefaults,
  estimateSystem,
  inputOf,
} from '../../design/estimate.ts';
import { collect, Given, type RawOptions } from '../options.ts';
import { ending, loadRunner, outStyle, print, printJson } from '../session.ts';
import { table } from '../style.ts';

const { readRatio, recordBytes, years, replicas, peakFactor, hotRatio } = estimateDefaults;

export function addEstimate(program: Command): void {
  program
    .command('estimate')
    .summary('the back of the envelope: storage, memory, bandwidth, servers, nines')
    .description(
      'Estimates what a system needs from a rate and a few sizes, and says how each figure comes about.\nWith a design, its rate, its replicas and its parts are taken from there.',
    )
    .argument('[design]', 'a design file, or a folder with a design.ts')
    .option(
      '--rate <rate>',
      `requests a second on average (default: ${estimateDefaults.ratePerSec}/s)`,
    )
    .option('--reads <share>', `share of requests that only read (default: ${readRatio})`)
    .option('--bytes <size>', `what a write stores (default: ${recordBytes}B)`)
    .option('--reply <size>', 'what an answer to a read carries (default: as --bytes)')
    .option('--years <n>', `how long it is kept (default: ${years})`)
    .option('--replicas <n>', `copies of each record (default: ${replicas})`)
    .option('--peak <factor>', `busiest second ÷ average second (default: ${peakFactor})`)
    .option('--hot <share>', `share of a day's reads to keep in memory (default: ${hotRatio})`)
    .option('--cpu <duration>', 'processor time of a request (default: 1ms)')
    .option('--latency <duration>', 'how long a request is in a server (default: 50ms)')
    .option('--cores <n>', 'cores of one server (default: 1)')
    .option('--busy <share>', 'how busy a server may be at peak (default: 0.6)')
    .option(
      '--part <name=availability>',
      "a part that every request needs: 'api=0.99', '2 of 3' side by side: 'db=0.99 2/3'; repeatable",
      collect,
    )
    .option('--json', 'print the figures as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ loadpath estimate --rate 11167/s --reads 0 --bytes 500 --years 10 --replicas 3
  $ loadpath estimate --rate 2000/s --cpu 0.4ms --cores 4 --peak 5
  $ loadpath estimate --part lb=0.9999 --part 'api=0.99 1/3' --part 'db=0.995 2/3'
  $ loadpath estimate examples/shortener --bytes 200
`,
    )
    .action(ending(estimate));
}

async function estimate(design: string | undefined, raw: RawOptions): Promise<number> {
  const given = new Given(raw);
  const share = 'a share such as 0.9 or 90%';
  const bytes = given.bytes('bytes');
  const stated: { [K in keyof EstimateInput]: EstimateInput[K] | undefined } = {
    ratePerSec: given.rate('rate'),
    readRatio: given.number('reads', 0, 1, share),
    recordBytes: bytes,
    replyBytes: given.bytes('reply') ?? bytes,
    years: given.number('years', 0.001, 1_000, 'a number of years'),
    replicas: given.whole('replicas', 1, 1_000),
    peakFactor: given.number('peak', 1, 10_000, 'a factor of at least 1'),
    hotRatio: given.number('hot', 0, 1, share),
    cpuUs: given.duration('cpu', '0.4ms'),
    latencyUs: given.duration('latency', '50ms'),
    cores: given.whole('cores', 1, 10_000),
    utilisationMax: given.number('busy', 0.01, 1, share),
    parts: partsOf(given),
    alphabet: undefined,
  };
  given.check();
  const known = design === undefined ? {} : inputOf(await (await loadRunner()).inspect(design));
  const result = estimateSystem({ ...known, ...defined(stated) });
  if (given.flag('json')) printJson(result);
  else print(renderEstimate(result));
  return 0;
}

/** `api=0.99` alone, `db=0.99 2/3` two of three needed. */
function partsOf(given: Given): readonly EstimatePart[] | undefined {
  const texts = given.texts('part');
  if (texts.length === 0) return undefined;
  return texts.flatMap((text) => {
    const match = /^([^=]+)=(\d*\.?\d+)(%?)(?:\s+(\d+)\/(\d+))?$/.exec(text.trim());
    const availability = match ? Number(match[2]) / (match[3] === '%' ? 100 : 1) : -1;
    const needed = Number(match?.[4] ?? 1);
    const count = Number(match?.[5] ?? 1);
    if (!match || availability < 0 || availability > 1 || needed < 1 || needed > count) {
      given.problem('part', `must be like 'api=0.99' or 'db=0.99 2/3', got '${text}'`);
      return [];
    }
    return [{ name: match[1]!.trim(), availability, count, needed }];
  });
}

function defined<T extends object>(given: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> };
}

function renderEstimate({ figures }: Estimate): string {
  const lines: string[] = [];
  const rows = table(
    figures.map(({ label, text, how }) => [label, text, outStyle.dim(how)]),
    [false, true],
  );
  let section = '';
  for (const [index, figure] of figures.entries()) {
    if (figure.section !== section) {
      if (section !== '') lines.push('');
      section = figure.section;
      lines.push(outStyle.strong(section));
    }
    lines.push(`  ${rows[index]}`);
  }
  return lines.join('\n');
}
