/** Appends numbered lines and prints each number once it is durable, for ever. For tests that kill it. */
import { FileDisk } from '../disk.ts';
import { UnsyncedDisk } from '../unsynced-disk.ts';

const [directory, kind] = process.argv.slice(2);
const enter = (fire: () => void) => fire();
const files = new FileDisk({ directory: directory!, enter });
const disk = kind === 'sync-only' ? new UnsyncedDisk(files, enter) : files;

function write(n: number): void {
  disk.append('log', new TextEncoder().encode(`${n}\n`));
  disk.sync('log', (outcome) => {
    if (outcome === 'ok') process.stdout.write(`${n}\n`);
    write(n + 1);
  });
}

write(0);
