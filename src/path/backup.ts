/** What a caller must know of a service that stands in for another. */
import type { Declaration, Site } from '../host/declaration.ts';
import { assert } from '../kit/assert.ts';
import type { BackupConfig, FetcherConfig } from './caller.ts';

export function backupConfig(service: Declaration, site: Site, zone: string): BackupConfig {
  const { clientConfig } = service.block;
  assert(clientConfig, 'who stands in can be called');
  const { path, targets } = clientConfig(service, site, zone) as FetcherConfig;
  return { service: service.name, path, targets };
}
