import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { openInBrowser } from '../browser.ts';
import { Given, type RawOptions } from '../options.ts';
import { addressIn, ask } from '../running.ts';
import { ending, screen } from '../session.ts';

export function addStudio(program: Command): void {
  program
    .command('studio')
    .summary('see a design run, break it, and understand why: in the browser')
    .description(
      'Opens a design in the browser: its graph with the traffic on it, faults by a click, charts,\nrequests and verdicts. Without a design: the one in this folder, or an empty board to draw one on.',
    )
    .argument('[design]', 'a design file, or a folder with a design.ts')
    .option('--new <file>', 'an empty board, saved as this .json file (default: design.json)')
    .option('--attach <url>', 'open a system that runs: the address that `loadpath run` printed')
    .option('--port <n>', 'where the page is served, on this machine only; 0 takes a free one')
    .option('--no-open', 'print the address and leave the browser alone')
    .addHelpText(
      'after',
      `
The address holds a token: whoever has it may do what the page can. It is served to this machine only.

Examples:
  $ loadpath studio examples/shortener
  $ loadpath studio --new shop.json
  $ loadpath studio --attach 'http://127.0.0.1:40123/?token=…'
`,
    )
    .action(ending(studio));
}

async function studio(design: string | undefined, raw: RawOptions): Promise<number> {
  const given = new Given(raw);
  const port = given.whole('port', 0, 65_535) ?? 0;
  const attach = given.text('attach');
  const board = given.text('new');
  const open = raw.open !== false;
  if ([design, attach, board].filter((one) => one !== undefined).length > 1) {
    given.problem('new', 'a design, --new and --attach exclude one another');
  }
  if (board !== undefined && !board.endsWith('.json')) {
    given.problem('new', `must be a .json file, got ${board}`);
  }
  if (board !== undefined && existsSync(board)) {
    given.problem('new', `${board} is there already: open it with loadpath studio ${board}`);
  }
  given.check();

  if (attach !== undefined) return attachTo(attach, open);
  const { openDesignStudio } = await import('../../studio/index.ts');
  const designPath = design ?? board ?? (existsSync('design.ts') ? 'design.ts' : 'design.json');
  const server = await openDesignStudio({ designPath, port });
  // Before anybody can know that there is something to end.
  const over = interrupted();
  screen.line(`Studio  ${screen.style.strong(server.url)}`);
  screen.line('Ctrl-C to end.');
  if (open) openInBrowser(server.url);
  await over;
  await server.close();
  return 0;
}

/** The page of a running system is served by that system. */
async function attachTo(address: string, open: boolean): Promise<number> {
  const system = addressIn('--attach', address);
  await ask(system, '/api/hello');
  const { href } = system.url;
  screen.line(`Studio  ${screen.style.strong(href)}`);
  if (open) openInBrowser(href);
  return 0;
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => resolve());
    }
  });
}
