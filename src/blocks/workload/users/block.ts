/** The users as Loadpath sees them. */
import type { Block, Declaration, Site } from '../../../host/declaration.ts';
import type { NodePlan, ZonePlan } from '../../../host/plan.ts';
import { describeWeb, type WebMessage } from '../../../host/web.ts';
import { assert } from '../../../kit/assert.ts';
import { LoadpathError } from '../../../kit/errors.ts';
import {
  type CrowdConfig,
  closedKnobs,
  type DoorPlan,
  knobs,
  type Load,
  rateKnob,
  type Shape,
  type UsersConfig,
} from './config.ts';
import { crowd } from './node.ts';
import type { UsersCode } from './script.ts';

export const usersBlock: Block = {
  kind: 'users',
  family: 'workload',
  purpose: 'Who loads the system, how often, and what they do.',
  knobs,
  tables: { '': { rate: rateKnob }, closed: closedKnobs },
  besides: {
    act: "One visit: `async (user, prepared) => { await user.fetch('/') }`. Without it one GET of `/`.",
    setup:
      '`async (user) => …`, once before the load and uncounted: what it returns is handed to every `act`.',
    from: 'Where they are, and how many of them, by region or zone: `{ asia: 0.5, europe: 0.5 }`. By default all in the first zone.',
    resolver: 'A `dns` in which users look names up. Without it they go straight to the entry.',
    site: 'The name of the site in `resolver`, for paths that users write. By default its first record that leads to the entry.',
    ip: '`(id) => address` of a user. By default a public one, the same for the same user.',
  },
  view: { shape: 'person', colour: 'green' },
  expand,
  programs: { crowd },
  readsCode: ['crowd'],
  describe: (message) => describeWeb(message as WebMessage),
};

function expand(declaration: Declaration, site: Site): readonly NodePlan[] {
  const { entry } = declaration.binds;
  assert(entry, 'users have an entry to go to');
  const { act, setup } = declaration.code as UsersCode;
  const shared = declaration.config as UsersConfig;
  const places = placesOf(shared.from, site.zones);
  const total = places.reduce((sum, { share }) => sum + share, 0);
  const { resolver } = declaration.binds;
  return places.map(({ zone, share }, index): NodePlan => {
    const config: CrowdConfig = {
      ...shared,
      load: share === total ? shared.load : shareOf(shared.load, index, share / total),
      crowd: index,
      crowds: places.length,
      doors: doorsOf(entry, site, zone),
      origin: `http://${shared.site ?? entry.name}`,
      naming: resolver?.name ?? null,
    };
    return {
      id: `${declaration.name}/${index}`,
      block: declaration.name,
      kind: 'users',
      role: 'crowd',
      zone: zone.name,
      cores: 1,
      userCode: act !== undefined || setup !== undefined,
      programs: [
        ...(resolver ? site.clients({ ...declaration, binds: { resolver } }, zone.name) : []),
        { port: 'users', block: declaration.name, role: 'crowd', config },
      ],
    };
  });
}

interface Crowded {
  readonly zone: ZonePlan;
  readonly share: number;
}

/** One crowd a region, in the first of its zones; without shares one crowd in the first zone of all. */
function placesOf(from: UsersConfig['from'], zones: readonly ZonePlan[]): readonly Crowded[] {
  if (from === null) return [{ zone: zones[0]!, share: 1 }];
  return Object.entries(from).map(([name, share]) => {
    const zone = zones.find((one) => one.name === name) ?? zones.find((one) => one.region === name);
    if (zone) return { zone, share };
    throw new LoadpathError(
      'bad-design',
      `users.from names ${name}, which is neither a zone nor a region of this design`,
    );
  });
}

/** The nearest first: the same zone, the same region, the others. */
function doorsOf(entry: Declaration, site: Site, from: ZonePlan): readonly DoorPlan[] {
  const regionOf = new Map(site.zones.map((zone) => [zone.name, zone.region]));
  const address = entry.block.address?.(entry);
  if (address) return [{ node: address.node, tier: 0 }];
  return site.members(entry).map(({ id, zone }) => {
    if (!entry.block.servesNearest || zone === from.name) return { node: id, tier: 0 };
    return { node: id, tier: regionOf.get(zone) === from.region ? 1 : 2 };
  });
}

/** A part of the load: so much of the rate, so many of the users, every so-manyth visit. */
function shareOf(load: Load, index: number, share: number): Load {
  switch (load.kind) {
    case 'open':
      return { kind: 'open', shape: scaled(load.shape, share) };
    case 'closed':
      return { ...load, users: Math.max(1, Math.round(load.users * share)) };
    case 'replay':
      // Where a recorded visitor was is not known: all come from the first place.
      return index === 0 ? load : { ...load, visits: [] };
  }
}

function scaled(shape: Shape, by: number): Shape {
  switch (shape.kind) {
    case 'steady':
      return { ...shape, perSec: shape.perSec * by };
    case 'ramp':
      return { ...shape, fromPerSec: shape.fromPerSec * by, toPerSec: shape.toPerSec * by };
    case 'spike':
      return { ...shape, basePerSec: shape.basePerSec * by, peakPerSec: shape.peakPerSec * by };
    case 'diurnal':
      return { ...shape, meanPerSec: shape.meanPerSec * by };
  }
}
