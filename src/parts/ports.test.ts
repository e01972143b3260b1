/** Which door gets which port. */
import { expect, test } from 'vitest';
import { clashesOf, fixedPorts, listenAt, Ports } from './ports.ts';

const asked = { port: 8081, isPortGiven: true };
const byDefault = { port: 8080, isPortGiven: false };

function node(id: string, edge: ReturnType<typeof listenAt>) {
  const program = { port: 'web', block: id, role: 'door', config: null, edge };
  return {
    id,
    block: id,
    kind: 'gateway',
    role: 'door',
    zone: 'a',
    cores: 1,
    userCode: false,
    programs: [program],
  };
}

test('a port that was asked for is the first door, and others of the block count up from it', () => {
  const ports = new Ports([]);
  expect([0, 1].map((index) => ports.of(listenAt(asked, index)))).toEqual([8081, 8082]);
  expect(ports.of(listenAt({ ...asked, port: 9090 }, 0))).toBe(9090);
  expect(ports.of(listenAt({ ...asked, port: 0 }, 3))).toBe(0);
});

test('a default gives way to what was asked for, wherever that stands, and to other defaults', () => {
  const ports = new Ports([{ node: 'edge/0', port: 8081 }]);
  const doors = [listenAt(byDefault, 0), listenAt(byDefault, 1), listenAt(byDefault, 0)];
  expect(doors.map((door) => ports.of(door))).toEqual([8080, 8082, 8083]);
});

test('two that were asked to listen on one port are told, also when one counts up to it', () => {
  const nodes = [
    node('pub/0', listenAt(asked, 0)),
    node('pub/1', listenAt(asked, 1)),
    node('other/0', listenAt(byDefault, 2)),
    node('adm/0', listenAt({ ...asked, port: 8082 }, 0)),
  ];
  const clashes = clashesOf(fixedPorts({ nodes }));
  expect(clashes).toEqual([
    { node: 'adm/0', port: 8082, text: 'pub/1 and adm/0 would both listen on port 8082' },
  ]);
  const address = { node: 'lb/address', members: [], listen: 8081, isFixed: true };
  expect(clashesOf(fixedPorts({ nodes, addresses: [address] }))).toHaveLength(2);
});
