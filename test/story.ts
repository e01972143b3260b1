/**
 * Stories about programs in the simulated world. Shared commands:
 *
 *   sim seed=7 delay=1ms..4ms loss=0.1 unit=ms     before anything else; all optional
 *   node limiter limiter rate=10/s burst=2          a node, its program, its options
 *   cut a b        heal        crash a       boot a        pause a       resume a
 *   slow a 3       lose a b 0.5              skew a 50ms   fill a        fail a
 *   run 20ms                                        and prints what was delivered meanwhile
 *
 * A block adds its own, which mostly send something from `app`, a bystander without a delay.
 */

import type { Fault, Target } from '../src/host/fault.ts';
import type { Address, Handlers, Host, Message, Micros } from '../src/host/host.ts';
import type { Plan } from '../src/host/plan.ts';
import type { Stream, StreamEvents } from '../src/host/stream.ts';
import { type ConfigOf, configure, type Knobs } from '../src/kit/config.ts';
import { parseDuration } from '../src/kit/units.ts';
import type { TraceEvent } from '../src/sim/network.ts';
import { arithmetic } from '../src/sim/node/arithmetic.ts';
import { World } from '../src/sim/world.ts';
import { golden } from './golden.ts';
import { link, nodePlan } from './sandbox.ts';

/** The words after a command: plain ones in order, `name=value` by name. */
export interface Args {
  readonly words: readonly string[];
  /** The word at `index`; an error that names the command when it is missing. */
  word(index: number): string;
  option(name: string): string | undefined;
  /** All options, checked by a block's knobs. */
  config<const T extends Knobs>(knobs: T): ConfigOf<T>;
}

/** `Handlers<never>`: each program declares its own union of messages. */
export type Cast = (host: Host) => Handlers<never>;

export interface StoryKit {
  /** By the name after `node <id>`. */
  readonly programs: Readonly<Record<string, (args: Args) => Cast>>;
  readonly describe: (message: Message) => string;
  readonly commands?: Readonly<Record<string, (story: Story, args: Args) => void>>;
}

const app = 'app';

export class Story {
  readonly #kit: StoryKit;
  readonly #cast = new Map<string, { port: string; cast: Cast }>();
  #lines: string[] = [];
  #world: World | undefined;
  #settings: Args = argsOf('sim', []);
  #app: Host | undefined;
  /** What ends the kill or pause of a node. */
  readonly #held = new Map<string, () => void>();

  constructor(kit: StoryKit) {
    this.#kit = kit;
  }

  /** Runs one scene. */
  tell(commands: readonly string[]): readonly string[] {
    this.#lines = [];
    for (const command of commands) this.#run(command);
    return this.#lines.length > 0 ? this.#lines : ['ok'];
  }

  /** From `app` to a node, on the port that its program has. */
  send(node: string, message: Message): void {
    // Begins the world if this is its first command, and with it `app`.
    const to = this.world.isAlive(app) ? this.#addressOf(node) : undefined;
    if (to) this.#app?.send(to, message);
  }

  /** A stream from `app` to a node, on the port that its program has. */
  connect(node: string, events: StreamEvents, opening: Message): Stream | undefined {
    const to = this.world.isAlive(app) ? this.#addressOf(node) : undefined;
    return to && this.#app?.connect(to, events, opening);
  }

  print(text: string): void {
    this.#print(this.world.now, text);
  }

  get world(): World {
    this.#world ??= this.#begin();
    return this.#world;
  }

  #run(line: string): void {
    const [name = '', ...rest] = line.split(/\s+/);
    const args = argsOf(name, rest);
    const own = this.#kit.commands?.[name];
    if (own) return own(this, args);
    switch (name) {
      case 'sim':
        this.#settings = args;
        return;
      case 'node': {
        const id = args.word(0);
        const port = args.words[1] ?? id;
        const make = this.#kit.programs[port];
        if (!make) throw new Error(`no program called ${port} for: ${line}`);
        this.#cast.set(id, { port, cast: make(args) });
        if (this.#world) this.#world.addNode(nodePlan(id, { programs: { [port]: idle } }));
        return;
      }
      case 'run': {
        const world = this.world;
        world.run(world.now + durationOf(args.word(0)));
        return;
      }
      case 'heal':
        this.#held.clear();
        return this.world.healAll();
      case 'boot':
      case 'resume':
        // One node only: its kill or pause ends, other faults stay.
        return this.#end(args.word(0));
      default:
        return this.#fault(name, args);
    }
  }

  #end(node: string): void {
    const end = this.#held.get(node);
    if (!end) throw new Error(`nothing holds ${node} down`);
    this.#held.delete(node);
    end();
  }

  #fault(name: string, args: Args): void {
    const node = (index: number): Target => ({ node: args.word(index) });
    const timed = { atUs: 0 } as const;
    const on = (fault: Fault) => {
      this.world.inject(fault);
    };
    const held = (fault: Fault) => {
      this.#held.set(args.word(0), this.world.inject(fault));
    };
    switch (name) {
      case 'cut':
        return on({
          ...timed,
          do: 'cut',
          from: node(0),
          to: node(1),
          oneWay: args.words.includes('oneway'),
        });
      case 'crash':
        return held({ ...timed, do: 'kill', target: node(0) });
      case 'pause':
        return held({ ...timed, do: 'pause', target: node(0) });
      case 'slow':
        return on({ ...timed, do: 'slow', target: node(0), factor: Number(args.word(1)) });
      case 'lose':
        return on({
          ...timed,
          do: 'lose',
          from: node(0),
          to: node(1),
          ratio: Number(args.word(2)),
        });
      case 'skew':
        return on({
          ...timed,
          do: 'skew',
          target: node(0),
          byUs: durationOf(args.word(1)),
          driftPpm: 0,
        });
      case 'fill':
        return on({ ...timed, do: 'fill-disk', target: node(0) });
      case 'fail':
        return on({ ...timed, do: 'fail-disk', target: node(0) });
      default:
        throw new Error(`no command called ${name}`);
    }
  }

  #begin(): World {
    const [min, max] = (this.#settings.option('delay') ?? '1ms').split('..').map(durationOf);
    const near = link(min!, {
      ...(max !== undefined && { delay: { kind: 'uniform', min: min!, max } }),
      lossRatio: Number(this.#settings.option('loss') ?? 0),
    });
    const plan: Plan = {
      design: 'story',
      zones: [
        { name: 'a', region: 'here' },
        { name: app, region: app },
      ],
      nodes: [
        nodePlan(app, { programs: { [app]: idle }, zone: app }),
        ...[...this.#cast].map(([id, { port }]) => nodePlan(id, { programs: { [port]: idle } })),
      ],
      network: {
        loopback: link(0),
        sameZone: near,
        sameRegion: near,
        betweenRegions: link(0),
        connectTimeoutUs: 3_000_000,
      },
    };
    const world: World = new World({
      plan,
      seed: Number(this.#settings.option('seed') ?? 1),
      clocks: { offsetMaxUs: 0, driftMaxPpm: 0 },
      arithmetic,
      boot: (node, _life, hostOf) => {
        const member = this.#cast.get(node.id);
        const port = member?.port ?? app;
        const host = hostOf(port);
        if (!member) this.#app = host;
        const handlers = (member?.cast ?? idle)(host) as Handlers;
        return { ports: new Map([[port, handlers]]) };
      },
      onTrace: (event) => this.#trace(event),
      onEvent: (event) => {
        if (event.type === 'crash') this.#print(event.at, `${event.node} crash${why(event.why)}`);
        if (event.type === 'note') this.#print(event.at, `${event.node} ${event.text}`);
      },
    });
    world.bootAll();
    return world;
  }

  #trace({ at, from, to, message, what }: TraceEvent): void {
    const arrow = { delivered: '->', duplicated: '=>', lost: '-x', cut: '-x', refused: '-!' }[what];
    this.#print(at, `${from.node} ${arrow} ${to.node} ${this.#kit.describe(message)}`);
  }

  #print(at: Micros, text: string): void {
    const time = this.#settings.option('unit') === 'us' ? at : Math.floor(at / 1000);
    this.#lines.push(`${String(time).padStart(5)} ${text}`);
  }

  #addressOf(node: string): Address {
    const member = this.#cast.get(node);
    if (!member) throw new Error(`no node called ${node}`);
    return { node, port: member.port };
  }
}

/** Registers a test for each story in `directory`. */
export function stories(directory: URL, kit: StoryKit): void {
  golden(directory, '.sim', () => {
    const story = new Story(kit);
    return (commands) => story.tell(commands);
  });
}

const idle = () => ({ message() {} });

function why(text: string): string {
  return text.startsWith('kill ') ? '' : `: ${text}`;
}

function durationOf(text: string): Micros {
  const us = parseDuration(text);
  if (us === undefined) throw new Error(`${text} is not a duration`);
  return us;
}

function argsOf(command: string, rest: readonly string[]): Args {
  const words = rest.filter((word) => !word.includes('='));
  const options = new Map(
    rest
      .filter((word) => word.includes('='))
      .map((word): [string, string] => {
        const at = word.indexOf('=');
        return [word.slice(0, at), word.slice(at + 1)];
      }),
  );
  return {
    words,
    word(index) {
      const word = words[index];
      if (word === undefined) throw new Error(`${command} needs ${index + 1} words`);
      return word;
    },
    option: (name) => options.get(name),
    config(knobs) {
      const given = Object.fromEntries([...options].map(([name, text]) => [name, readValue(text)]));
      const { config, problems } = configure(command, knobs, given);
      if (problems.length > 0) throw new Error(problems.map((each) => each.what).join('; '));
      return config;
    },
  };
}

function readValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
