/** What a broker makes of what it finds when it comes up, and of clocks that jump meanwhile. */
import { expect, test } from 'vitest';
import { sandbox } from '../../../../test/sandbox.ts';
import type { RunEvent } from '../../../host/events.ts';
import type { Handlers, Host } from '../../../host/host.ts';
import type { TopicConfig } from './config.ts';
import { type TopicOptions, topic } from './index.ts';
import type { Deliver, TopicRequest } from './messages.ts';
import { broker } from './node.ts';

const second = 1_000_000;

interface Lives {
  /** Options by life; the last ones hold on. */
  readonly options: readonly TopicOptions<string>[];
  /** Before the broker of a life looks at its disk. */
  readonly before?: (host: Host) => void;
}

/** A broker, and a caller who publishes to it and says what was answered. */
function lives({ options, before }: Lives) {
  const events: RunEvent[] = [];
  const answers: string[] = [];
  const deliveries: { generation: number; from: number; to: number }[] = [];
  let say: Host['send'] = () => {};
  let seq = 0;
  const to = { node: 'clicks/0', port: 'topic' };
  const world = sandbox({
    nodes: {
      'clicks/0': {
        topic: (host) => {
          before?.(host);
          const declared = topic<string>(
            'clicks',
            options[Math.min(host.life, options.length) - 1],
          );
          const config = { ...(declared.config as TopicConfig), name: 'clicks', index: 0 };
          return broker(host, config, undefined) as Handlers;
        },
      },
      caller: {
        clicks: (host) => {
          say = (address, message) => host.send(address, message);
          return {
            message(_from, message) {
              if (message.type !== 'deliver') return void answers.push(shown(message));
              const { generation, messages } = message as unknown as Deliver;
              const [from, to] = [messages[0]!.offset, messages.at(-1)!.offset];
              deliveries.push({ generation, from, to });
            },
          };
        },
      },
    },
    onEvent: (event) => events.push(event),
  });
  world.bootAll();
  return {
    world,
    answers,
    deliveries,
    notes: () => events.flatMap((event) => (event.type === 'note' ? [event.text] : [])),
    crashes: () => events.flatMap((event) => (event.type === 'crash' ? [event.why] : [])),
    publish(partition: number, value = 'v') {
      seq++;
      const sent = { id: seq, partition, message: `m${seq}`, key: null, value };
      say(to, { type: 'publish', ...sent, life: 1, seq, low: seq });
      world.run(world.now + second / 10);
    },
    tell(message: TopicRequest) {
      say(to, message);
      world.run(world.now + second / 10);
    },
    restart() {
      world.inject({ do: 'restart', target: { node: 'clicks/0' }, atUs: 0 });
      world.run(world.now + second);
    },
  };
}

function shown({ type, offset }: { readonly type: string; readonly offset?: unknown }): string {
  return `${type} ${String(offset)}`;
}

test('with other partitions or nodes than its messages were stored with it refuses to start', () => {
  const was = { partitions: 4, nodes: 2 };
  const shapes = [was, { partitions: 4, nodes: 4 }, { partitions: 2, nodes: 2 }, was];
  const { publish, restart, crashes, world, answers } = lives({ options: shapes });
  publish(2);
  for (let life = 2; life <= shapes.length; life++) restart();
  world.run(world.now + 5 * second);
  const refusals = crashes().filter((why) => why.includes('would not be found again'));
  expect(refusals).toEqual([
    expect.stringContaining('partitions 4, nodes 2; the design now says partitions 4, nodes 4'),
    expect.stringContaining('partitions 4, nodes 2; the design now says partitions 2, nodes 2'),
  ]);
  expect(world.isAlive('clicks/0')).toBe(true);
  publish(2);
  expect(answers).toEqual(['published 0', 'published 1']);
});

test('without any messages its options may change', () => {
  const { publish, restart, answers } = lives({
    options: [
      { partitions: 4, nodes: 2 },
      { partitions: 8, nodes: 4 },
    ],
  });
  restart();
  publish(4);
  expect(answers).toEqual(['published 0']);
});

test('with a log that was put back from a copy it gives a group what is published from then on', () => {
  let copy: ReadonlyMap<string, Uint8Array> | undefined;
  const { publish, restart, notes, deliveries, tell } = lives({
    options: [{ partitions: 1, nodes: 1 }],
    before({ disk, life }) {
      const names = disk.list('topic/p0/');
      if (life === 2) copy = new Map(names.map((name) => [name, disk.read(name)!]));
      if (life !== 3) return;
      for (const [name, bytes] of copy!) disk.truncate(name, bytes.length);
    },
  });
  const read = () => {
    tell({ type: 'join', group: 'top', life: 1, working: [] });
    const { generation } = deliveries.at(-1)!;
    tell({ type: 'commit', id: 1_000 + generation, group: 'top', partition: 0, generation });
  };
  for (let i = 0; i < 3; i++) publish(0);
  restart();
  for (let i = 0; i < 5; i++) publish(0);
  read();
  expect(deliveries.map(({ from, to }) => [from, to])).toEqual([[0, 7]]);
  restart();
  expect(notes()).toContain(
    'partition 0 ends at offset 3, and top has read up to 8: acknowledged messages are lost. top goes on at 3',
  );
  for (let i = 0; i < 7; i++) publish(0);
  restart();
  read();
  expect(deliveries.slice(1).map(({ from, to }) => [from, to])).toEqual([[3, 9]]);
});

test('a clock that is wrong for a moment takes no message', () => {
  const { publish, deliveries, tell, world } = lives({
    options: [{ partitions: 1, nodes: 1, segment: '1kB', retention: '7d' }],
  });
  const publishMany = () => {
    for (let i = 0; i < 20; i++) publish(0, 'x'.repeat(100));
  };
  publishMany();
  const byUs = 8 * 86_400 * second;
  const target = { node: 'clicks/0' };
  world.inject({ do: 'skew', target, byUs, driftPpm: 0, atUs: 0, forUs: 4 * second });
  publishMany();
  world.run(world.now + 10 * second);
  publishMany();
  tell({ type: 'join', group: 'top', life: 1, working: [] });
  expect(deliveries[0]).toMatchObject({ from: 0 });
});
