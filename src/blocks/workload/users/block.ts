/** The users as Loadpath sees them. */
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { NodePlan } from '../../../host/plan.ts';
import { describeWeb, type WebMessage } from '../../../host/web.ts';
import { assert } from '../../../kit/assert.ts';
import { type CrowdConfig, closedKnobs, knobs, rateKnob, type UsersConfig } from './config.ts';
import { crowd } from './node.ts';
import type { UsersCode } from './script.ts';

export const usersBlock: Block = {
  kind: 'users',
  family: 'workload',
  purpose: 'Who loads the system, how often, and what they do.',
  knobs,
  tables: { '': { rate: rateKnob }, closed: closedKnobs },
  view: { shape: 'person', colour: 'green' },
  expand,
  programs: { crowd },
  describe: (message) => describeWeb(message as WebMessage),
};

function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const [entry] = Object.values(declaration.binds);
  assert(entry, 'users have an entry to go to');
  const { act, setup } = declaration.code as UsersCode;
  const config: CrowdConfig = {
    ...(declaration.config as UsersConfig),
    doors: site.members(entry).map(({ id }) => id),
    origin: `http://${entry.name}`,
  };
  return [
    {
      id: `${declaration.name}/0`,
      block: declaration.name,
      kind: 'users',
      role: 'crowd',
      zone: site.zones[0]!.name,
      cores: 1,
      userCode: act !== undefined || setup !== undefined,
      programs: [{ port: 'users', block: declaration.name, role: 'crowd', config }],
    },
  ];
}
