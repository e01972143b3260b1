import { describe } from 'vitest';
import { type Args, type Cast, stories } from '../../../../test/story.ts';
import type { Connection } from '../../../host/connection.ts';
import type { Chunk, Stream } from '../../../host/stream.ts';
import { balancerBlock } from './block.ts';
import { type BalancerKnobs, knobs, type PassingConfig } from './config.ts';
import { pass } from './node.ts';

/** Passes to `edge/0` and `edge/1`, without health checks, so that the story is short. */
function passing(args: Args): Cast {
  const given: BalancerKnobs = args.config(knobs);
  const config: PassingConfig = {
    ...given,
    port: 0,
    isPortGiven: false,
    health: null,
    standby: null,
    seat: null,
    service: 'edge',
    targets: { releases: { all: ['edge/0', 'edge/1'] }, traffic: { all: 1 } },
    directory: null,
  };
  return (host) => pass(host, config, { open: new Map() });
}

function echo(): Cast {
  return (host) => ({
    message() {},
    stream(_from, opening, stream) {
      const who = (opening as Connection).ip;
      host.meter.note(`takes the connection of ${who}`);
      return {
        data(chunk) {
          stream.took(chunk);
          host.meter.note(`hears ${textOf(chunk)}`);
          stream.write(`${textOf(chunk)}, says ${host.self}`);
        },
        ended: () => stream.end(),
        closed: (how) => host.meter.note(`sees the connection of ${who} end: ${how}`),
      };
    },
  });
}

describe('stories of the balancer', () => {
  const lines = new Map<string, Stream>();
  stories(new URL('./testdata/', import.meta.url), {
    programs: { web: passing, 'http:web': echo },
    describe: (message) => balancerBlock.describe(message),
    commands: {
      dial(story, args) {
        const [who, node] = [args.word(0), args.word(1)];
        const stream = story.connect(
          node,
          {
            opened: () => story.print(`${who} is connected`),
            data(chunk) {
              stream?.took(chunk);
              story.print(`${who} hears ${textOf(chunk)}`);
            },
            ended: () => stream?.end(),
            closed: (how) => story.print(`${who}'s connection is over: ${how}`),
          },
          { type: 'connection', ip: who, port: 1 } as never,
        );
        if (stream) lines.set(who, stream);
      },
      say(_story, args) {
        lines.get(args.word(0))?.write(args.words.slice(1).join(' '));
      },
      hang(_story, args) {
        lines.get(args.word(0))?.end();
      },
    },
  });
});

function textOf(chunk: Chunk): string {
  return typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk);
}
