/**
 * The programs that `host.contract.ts` runs, apart from the test itself: a live world loads them in
 * processes of their own. They report what they see with `host.record`, the only way out of a node
 * that both worlds have: `f` says what, `value` what came of it.
 */
import type { Boot } from './boot.ts';
import type { PublicKey, SignatureName } from './crypto.ts';
import type { Address, Handlers, Host, Message, Value } from './host.ts';
import type { NodePlan, ProgramPlan } from './plan.ts';
import type { Stream } from './stream.ts';

export interface Letter extends Message {
  readonly type: 'letter' | 'echo' | 'write' | 'read' | 'throw' | 'time' | 'work';
  readonly number: number;
  readonly value?: Value;
}

/** What a `reckoner` is given; `key` is nobody's who signed. */
export interface Reckoning {
  readonly bytes: Uint8Array;
  readonly hmacKey: Uint8Array;
  /** Of an Ed25519 key. */
  readonly seed: Uint8Array;
  readonly key: Value;
  readonly signatures: readonly {
    readonly name: SignatureName;
    readonly by: Value;
    readonly signature: Uint8Array;
  }[];
}

type ContractProgram = (host: Host, config: Value) => Handlers<Letter>;

/** Says something to the history. */
function reporter(host: Host): (f: string, value: Value) => void {
  let op = 0;
  return (f, value) => host.record({ block: 'contract', phase: 'ok', op: op++, f, value });
}

/** Reports all that comes, and echoes on request. */
const listener: ContractProgram = (host) => {
  const report = reporter(host);
  report('boot', host.life);
  return {
    message(from, message) {
      if (message.type === 'echo') host.send(from, { ...message, type: 'letter' } as Letter);
      if (message.type === 'throw') throw new Error('thrown on purpose');
      report(message.type, { from: `${from.node}:${from.port}`, ...message });
    },
    refused: (to, message) => report('refused', `${to.node}:${to.port} ${message.type}`),
    disconnected: (node) => report('disconnected', node),
    drain(done) {
      report('drain', host.life);
      // Not at once: a host has to wait for it.
      host.after(20_000, done);
    },
  };
};

interface TalkerConfig {
  readonly to: Address;
  readonly letters: readonly Letter[];
  readonly everyUs: number;
}

/** Sends its letters, one after the other, again and again if it is to go on. */
const talker: ContractProgram = (host, config) => {
  const { to, letters, everyUs } = config as unknown as TalkerConfig;
  const handlers = listener(host, null);
  let next = 0;
  const talk = () => {
    if (everyUs > 0) {
      const letter = letters[next % letters.length]!;
      host.send(to, { ...letter, number: next++ } as Letter);
      host.after(everyUs, talk);
      return;
    }
    for (const letter of letters) host.send(to, letter);
  };
  host.after(1000, talk);
  return handlers;
};

/** Looks at clocks, timers and cores. */
const timekeeper: ContractProgram = (host) => {
  const report = reporter(host);
  const delays = [30_000, 0, 10_000, 20_000, 10_000];
  delays.forEach((delayUs, index) => {
    const set = host.now();
    host.after(delayUs, () => {
      report('timer', { index, early: set + delayUs - host.now() });
    });
  });
  const cancelled = host.after(15_000, () => report('cancelled', 1));
  host.after(5_000, () => {
    cancelled.cancel();
    cancelled.cancel();
  });
  const fired = host.after(1, () => report('fired', 1));
  host.after(40_000, () => {
    fired.cancel();
    report('end', 1);
  });
  let last = host.now();
  let isBackward = false;
  for (let i = 0; i < 1000; i++) {
    const now = host.now();
    isBackward ||= now < last;
    last = now;
  }
  report('clock', { now: last, wall: host.wall(), isBackward });
  let isWithin = true;
  const began = host.now();
  host.cpu.spend(5_000, () => report('spend', { took: host.now() - began, isWithin }));
  host.cpu.hold(5_000, () => report('hold', { took: host.now() - began, isWithin }));
  host.cpu.charge(100, () => report('charge', { took: 0, isWithin }));
  isWithin = false;
  return { message() {} };
};

/** Writes to its disk at the first boot and reports at every boot what is there. */
const keeper: ContractProgram = (host) => {
  const report = reporter(host);
  const { disk } = host;
  const text = (name: string): Value => {
    const bytes = disk.read(name);
    return bytes ? [...bytes] : null;
  };
  report('found', {
    files: disk.list(),
    inner: disk.list('kept/'),
    log: text('kept/log'),
    whole: text('kept/whole'),
    none: text('kept/none'),
    hasRoom: disk.freeBytes() > 0,
  });
  if (host.life > 1) return { message() {} };
  const bytes = new Uint8Array([1, 2, 3]);
  disk.append('kept/log', bytes);
  // What is given is not kept by reference.
  bytes.fill(9);
  disk.append('kept/log', new Uint8Array([4, 5]));
  disk.append('kept/whole', new Uint8Array([7]));
  disk.append('gone', new Uint8Array([1]));
  report('visible', text('kept/log'));
  disk.sync('kept/log', (outcome) => {
    report('synced', outcome);
    disk.truncate('kept/log', 4);
    disk.remove('gone');
    disk.replace('kept/whole', new Uint8Array([8, 8]), (replaced) => {
      disk.sync('kept/log', (last) => report('stored', [replaced, last]));
    });
  });
  return { message() {} };
};

interface SpeakerConfig {
  readonly to: Address;
  readonly chunks: readonly (string | Uint8Array)[];
  /** Written over and over, as far as credit lets it, until so many were. */
  readonly count: number;
  /** Told to whoever listens: see `hearer`. */
  readonly how: 'echo' | 'keep' | 'slow' | 'break' | 'silent';
  readonly isOpenEnded?: boolean;
}

/** Connects, writes within its credit, and reports what comes back and how it ends. */
const speaker: ContractProgram = (host, config) => {
  const { to, chunks, count, how, isOpenEnded = false } = config as unknown as SpeakerConfig;
  const report = reporter(host);
  const heard: Value[] = [];
  let written = 0;
  let waitingMax = 0;
  const begin = (): void => {
    const stream: Stream = host.connect(
      to,
      {
        opened: () => report('opened', `${stream.peer.node}:${stream.peer.port}`),
        data: (chunk) => {
          heard.push(chunk);
          stream.took(chunk);
        },
        ready: () => speak(),
        ended: (last) => report('ended', { heard, last: (last as Value | undefined) ?? null }),
        closed: (close) => report('closed', close),
      },
      { type: 'letter', number: host.life, value: how } satisfies Letter,
    );
    const speak = (): void => {
      while (written < count) {
        const goesOn = stream.write(chunks[written++ % chunks.length]!);
        waitingMax = Math.max(waitingMax, stream.waitingBytes);
        if (!goesOn) {
          report('paused', written);
          return;
        }
      }
      report('written', { written, waitingMax });
      if (!isOpenEnded) stream.end({ type: 'letter', number: written } satisfies Letter);
    };
    speak();
  };
  host.after(1_000, begin);
  return { message() {} };
};

/** Takes streams, and does with them what their opening says. */
const hearer: ContractProgram = (host) => {
  const report = reporter(host);
  report('boot', host.life);
  return {
    message() {},
    stream(from, { value: how }, stream) {
      report('stream', `${from.node}:${from.port} ${String(how)}`);
      if (how === 'silent') return undefined;
      let bytes = 0;
      const chunks: Value[] = [];
      const kept: (string | Uint8Array)[] = [];
      const take = (): void => {
        report('kept', bytes);
        for (const chunk of kept.splice(0)) stream.took(chunk);
      };
      return {
        data(chunk) {
          bytes += chunk.length;
          if (how === 'break') {
            stream.reset();
            return report('broke', bytes);
          }
          if (how === 'slow') {
            if (kept.length === 0) host.after(50_000, take);
            kept.push(chunk);
            return;
          }
          if (how === 'echo') {
            chunks.push(chunk);
            stream.write(chunk);
          }
          stream.took(chunk);
        },
        ended(last) {
          report('ended', { bytes, chunks, last: (last as unknown as Value) ?? null });
          if (how === 'echo') stream.write('and that was all');
          stream.end({ type: 'letter', number: chunks.length } satisfies Letter);
        },
        closed: (close) => report('closed', close),
      };
    },
  };
};

/** Asks its host for digests, signatures and compression whose right answers are known. */
const reckoner: ContractProgram = (host, config) => {
  const report = reporter(host);
  const { bytes, key, hmacKey, seed, signatures } = config as unknown as Reckoning;
  let isWithin = true;
  const told = (f: string) => (value: Value) => report(f, { value, isWithin });
  host.crypto.digest('SHA-256', bytes, told('digest'));
  host.crypto.hmac('SHA-256', hmacKey, bytes, told('hmac'));
  for (const { name, by, signature } of signatures) {
    host.crypto.verify(name, by as PublicKey, bytes, signature, told(`verify ${name}`));
    host.crypto.verify(name, by as PublicKey, hmacKey, signature, told(`other ${name}`));
    host.crypto.verify(name, key as PublicKey, bytes, signature, told(`stranger ${name}`));
  }
  host.crypto.sign(seed, new Uint8Array(), told('sign'));
  host.crypto.publicKey(seed, told('public key'));
  report('secrets', [host.crypto.secret(32), host.crypto.secret(32)]);
  host.crypto.compress('gzip', bytes, told('gzip'));
  host.crypto.compress('br', bytes, told('br'));
  isWithin = false;
  return { message() {} };
};

export const contractPrograms: Readonly<Record<string, ContractProgram>> = {
  listener,
  talker,
  timekeeper,
  keeper,
  speaker,
  hearer,
  reckoner,
};

/** For a world's options. Serves any plan made of `contractNode`s. */
export const contractBoot: Boot = (node, _life, hostOf) => {
  const ports = new Map<string, Handlers>();
  for (const { port, role, config } of node.programs) {
    ports.set(port, contractPrograms[role]!(hostOf(port), config) as Handlers);
  }
  return { ports };
};

/** A node with its programs by port: `{ p: ['talker', config] }`. */
export function contractNode(
  id: string,
  programs: Readonly<Record<string, readonly [role: string, config?: object]>>,
): NodePlan {
  const block = 'contract';
  return {
    id,
    block,
    kind: 'contract',
    role: 'contract',
    zone: 'a',
    cores: 1,
    userCode: false,
    programs: Object.entries(programs).map(
      ([port, [role, config]]): ProgramPlan => ({
        port,
        block,
        role,
        config: (config ?? null) as Value,
      }),
    ),
  };
}
