/** A design as a flowchart that Mermaid draws. */
import { expect, test } from 'vitest';
import { service } from '../blocks/compute/service/index.ts';
import { kv } from '../blocks/data/kv/index.ts';
import { topic } from '../blocks/messaging/topic/index.ts';
import { users } from '../blocks/workload/users/index.ts';
import { systemFromJson } from './json.ts';
import { mermaidOf } from './mermaid.ts';
import { structureOf } from './structure.ts';
import { system } from './system.ts';

test('a modelled design has its rates on every path', () => {
  const design = systemFromJson({
    name: 'shop',
    blocks: [
      { kind: 'gateway', name: 'edge', routes: { '/': 'api-v2', '/old': 'api-v2' } },
      {
        kind: 'service',
        name: 'api-v2',
        calls: [
          { parallel: ['end', { optional: 'ads' }] },
          { sometimes: { chance: 0.25, call: { sequence: ['end', 'end'] } } },
        ],
      },
      { kind: 'service', name: 'end', instances: 1 },
      { kind: 'external', name: 'ads' },
    ],
    entry: 'edge',
    users: { rate: '200/s' },
  });
  expect(mermaidOf(structureOf(design))).toBe(
    [
      'flowchart LR',
      '  edge["edge<br/>gateway"]',
      '  api_v2["api-v2<br/>service × 2"]',
      '  end_["end<br/>service"]',
      '  ads{{"ads<br/>external"}}',
      '  users(("users"))',
      '  edge -->|"200/s"| api_v2',
      '  api_v2 -->|"300/s"| end_',
      '  api_v2 -->|"200/s"| ads',
      '  users -->|"200/s"| edge',
      '',
    ].join('\n'),
  );
});

test('code decides its own rates; stores and topics have their shapes', () => {
  const links = kv('links', { replicas: 3, nodes: 5 });
  const clicks = topic<string>('clicks', { partitions: 2 });
  const api = service('api', { env: { links, clicks }, fetch: () => new Response('ok') });
  const counter = service('counter', { env: { clicks }, on: { clicks: () => {} } });
  const design = system('short', {
    entry: api,
    blocks: [counter],
    workload: users({ closed: { users: 5, think: '1s' } }),
  });
  const text = mermaidOf(structureOf(design));
  expect(text).toContain('  links[("links<br/>kv × 5, 3 copies")]\n');
  expect(text).toContain('  clicks[["clicks<br/>topic × 2"]]\n');
  expect(text).toContain('  api --> links\n');
  expect(text).toContain('  clicks -.-> counter\n');
  expect(text).toContain('  users --> api\n');
});
