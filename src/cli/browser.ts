/** Opens an address in the user's browser, where there is one. Never fails: the address is printed too. */
import { spawn } from 'node:child_process';

export function openInBrowser(url: string, env: NodeJS.ProcessEnv = process.env): void {
  const command = opener(env);
  if (command === undefined) return;
  const [program, ...args] = command;
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
  // Not there, or not allowed: whoever reads the line with the address can open it.
  child.on('error', () => {});
  child.unref();
}

function opener(env: NodeJS.ProcessEnv): readonly [string, ...string[]] | undefined {
  if (process.platform === 'darwin') return ['open'];
  if (process.platform === 'win32') return ['cmd', '/c', 'start', ''];
  // Without a screen, a text browser would take over this terminal.
  const hasScreen = (env.DISPLAY ?? env.WAYLAND_DISPLAY ?? '') !== '';
  return hasScreen ? ['xdg-open'] : undefined;
}
