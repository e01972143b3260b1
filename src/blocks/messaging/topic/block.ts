/** The topic as Loadpath sees it. */
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { NodePlan } from '../../../host/plan.ts';
import { spread } from '../../../parts/placement.ts';
import { client } from './client.ts';
import {
  type BrokerConfig,
  type ConsumerConfig,
  knobs,
  type TopicClientConfig,
  type TopicConfig,
} from './config.ts';
import { consumer } from './consumer.ts';
import { handle } from './handle.ts';
import { describe, type TopicMessage } from './messages.ts';
import { broker } from './node.ts';

export const topicBlock: Block = {
  kind: 'topic',
  family: 'messaging',
  purpose: 'A durable log in partitions, read by groups of consumers, each message at least once.',
  knobs,
  besides: {
    key: '`(message) => text`: messages of one key stay in order, in one partition. Without it partitions take turns.',
  },
  view: { shape: 'queue', colour: 'green' },
  expand,
  programs: { broker, consumer },
  clientConfig: (declaration, site) => ({ ...clientConfig(declaration, site) }),
  client,
  consumerConfig: (declaration, site, group) => ({ ...consumerConfig(declaration, site, group) }),
  handle,
  lossOfNode: 'share',
  records: ['publish', 'deliver', 'subscribe'],
  describe: (message) => describe(message as TopicMessage),
};

function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const config = declaration.config as TopicConfig;
  return spread(declaration.name, config.nodes, site.zones).map(({ id, zone }, index) => {
    const own: BrokerConfig = { ...config, name: declaration.name, index };
    return {
      id,
      block: declaration.name,
      kind: 'topic',
      role: 'broker',
      zone,
      cores: 1,
      userCode: false,
      programs: [{ port: 'topic', block: declaration.name, role: 'broker', config: { ...own } }],
    };
  });
}

function clientConfig(declaration: Declaration, site: Site): TopicClientConfig {
  const config = declaration.config as TopicConfig;
  const brokers = site.members(declaration).map(({ id }) => id);
  return { ...config, name: declaration.name, brokers };
}

export function consumerConfig(
  declaration: Declaration,
  site: Site,
  group: string,
): ConsumerConfig {
  return { ...clientConfig(declaration, site), group };
}
