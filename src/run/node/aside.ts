/** What a design prints while it is read is no answer of the command: standard output may be somebody's JSON. */

let depth = 0;
let put: (() => void) | undefined;

export async function aside<T>(work: () => T | Promise<T>): Promise<T> {
  if (depth++ === 0) put = toStandardError();
  try {
    return await work();
  } finally {
    if (--depth === 0) put?.();
  }
}

function toStandardError(): () => void {
  const { stdout, stderr } = process;
  const { write } = stdout;
  stdout.write = stderr.write.bind(stderr);
  return () => {
    stdout.write = write;
  };
}
