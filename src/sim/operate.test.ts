import { expect, test } from 'vitest';
import { nodePlan, sandbox } from '../../test/sandbox.ts';
import { control, type Operation } from '../host/control.ts';
import type { RunEvent } from '../host/events.ts';
import type { World } from './world.ts';

const hand = { programs: { p: () => ({ message() {} }) } };

function operated(operates: readonly string[] | undefined, operations: readonly Operation[]) {
  const events: RunEvent[] = [];
  const told: string[] = [];
  const world: World = sandbox({
    nodes: {
      'boss/0': {
        p: (host) => {
          operations.forEach((operation, index) => {
            host.after(1_000 * (index + 1), () => host.send(control, operation));
          });
          return {
            message: (from, message) => {
              const nodes = message.nodes as readonly { readonly id: string }[];
              told.push(`${from.node} ${nodes.map(({ id }) => id).join()}`);
            },
          };
        },
      },
      'hand/0': hand,
    },
    later: { 'hand/1': hand, 'hand/2': hand },
    grow: (block, index) => nodePlan(`${block}/${index}`, hand),
    onEvent: (event) => events.push(event),
  });
  // A plan says who may: the sandbox makes plans without.
  const boss = world.plan.nodes[0]!.programs[0] as { operates?: readonly string[] };
  if (operates) boss.operates = operates;
  world.bootAll();
  world.run(100_000);
  return { world, told, events };
}

test('an operator starts, restarts and stops nodes, and is told of who is there', () => {
  const { world, told, events } = operated(
    ['hand'],
    [
      { type: 'follow-nodes', block: 'hand' },
      { type: 'start-node', block: 'hand' },
      { type: 'restart-node', node: 'hand/1' },
      { type: 'stop-node', node: 'hand/0', how: 'drain' },
      { type: 'stop-node', node: 'hand/1', how: 'kill' },
    ],
  );
  expect(told).toEqual(['control hand/0', 'control hand/0,hand/1', 'control hand/1', 'control ']);
  expect([world.isAlive('hand/0'), world.isAlive('hand/1')]).toEqual([false, false]);
  world.healAll();
  expect(world.isAlive('hand/0')).toBe(false);
  const boots = events.filter((event) => event.type === 'boot' && event.node === 'hand/1');
  expect(boots).toHaveLength(2);
});

test('who is no operator of a block is refused, with a note', () => {
  const { world, events } = operated(undefined, [{ type: 'start-node', block: 'hand' }]);
  expect(world.plan.nodes).toHaveLength(2);
  const notes = events.filter((event) => event.type === 'note');
  expect(notes).toMatchObject([{ node: 'boss/0', text: 'may not ask for start-node' }]);
});
