import { describe } from 'vitest';
import { type Args, stories } from '../../../../test/story.ts';
import { Unavailable } from '../../../kit/errors.ts';
import { client, type TopicApi } from './client.ts';
import { knobs } from './config.ts';
import { type Batch, consumer } from './consumer.ts';
import { describe as describeMessage, type TopicMessage } from './messages.ts';
import { broker } from './node.ts';

const configOf = (args: Args) => ({
  ...args.config({ ...knobs, takes: knobs.handling }),
  name: 'clicks',
  brokers: ['clicks/0'],
});

describe('stories of the topic', () => {
  const publishers = new Map<string, TopicApi>();
  stories(new URL('./testdata/', import.meta.url), {
    programs: {
      topic: (args) => {
        const config = { ...configOf(args), index: 0 };
        return (host) => broker(host, config, undefined);
      },
      clicks: (args) => {
        const config = configOf(args);
        return (host) => {
          const half = client(host, config);
          publishers.set(host.self, half.api);
          return half;
        };
      },
      reader: (args) => {
        const config = { ...configOf(args), group: 'top' };
        return (host) => {
          const half = consumer(host, config);
          half.api.start((batch: Batch<string>, done) => {
            host.meter.note(`handles ${batch.map(({ value }) => value).join(' ')}`);
            host.after(config.takesUs, () => done());
          });
          return half;
        };
      },
    },
    describe: (message) => describeMessage(message as TopicMessage),
    commands: {
      publish(story, args) {
        void story.world;
        const caller = args.word(0);
        for (const value of args.words.slice(1)) {
          publishers
            .get(caller)!
            .publish('k', value, {}, (outcome) =>
              story.print(
                outcome instanceof Unavailable
                  ? `${caller} ${value}: failed: ${outcome.why}`
                  : `${caller} ${value}: stored at ${outcome.offset}`,
              ),
            );
        }
      },
    },
  });
});
