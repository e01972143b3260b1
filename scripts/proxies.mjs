/** nginx and HAProxy, which the tests and the bench of exported configurations run. */
import { findProgram, installPackages } from './packages.mjs';

const names = ['nginx', 'haproxy'];

/** By name; undefined where there is none. */
export function findProxies() {
  return Object.fromEntries(names.map((name) => [name, findProgram(name)]));
}

/** Like `findProxies`, and installs what is missing where that is ours to do. */
export async function haveProxies() {
  const missing = names.filter((name) => !findProgram(name));
  if (missing.length > 0) await installPackages(missing, `${missing.join(' and ')} for the tests`);
  return findProxies();
}

export const noProxies =
  'nginx or HAProxy is missing, against which exported configurations are tested. Install both (apt-get install nginx haproxy).';
