import { describe } from 'vitest';
import { type Cast, stories } from '../../test/story.ts';
import type { Message } from '../host/host.ts';

interface Ask extends Message {
  readonly type: 'ask';
}

interface Answer extends Message {
  readonly type: 'answer';
  readonly count: number;
}

const echo: Cast = (host) => {
  let count = 0;
  return {
    message: (from) => host.send(from, { type: 'answer', count: ++count } as Answer),
  };
};

const asker: Cast = (host) => ({
  message(_from, message: Ask | Answer) {
    if (message.type === 'ask') host.send({ node: 'echo', port: 'echo' }, message);
  },
  refused: (to) => host.meter.note(`is refused by ${to.node}`),
  disconnected: (node) => host.meter.note(`is disconnected from ${node}`),
});

describe('stories of the network', () => {
  stories(new URL('./testdata/', import.meta.url), {
    programs: { echo: () => echo, asker: () => asker },
    describe: (message) =>
      message.type === 'answer' ? `answer ${(message as Answer).count}` : message.type,
    commands: {
      ask(story, args) {
        for (let i = 0; i < Number(args.option('times') ?? 1); i++) {
          story.send(args.word(0), { type: 'ask' });
        }
      },
    },
  });
});
