/**
 * What every `Host` must do, in whatever world. A world takes part by a harness that starts nodes
 * and tells what their programs recorded; times are only ever compared with the node's own clock.
 */
import {
  createHash,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { type SignatureName, schemes } from './crypto.ts';
import type { HistoryEvent } from './history.ts';
import type { Value } from './host.ts';
import type { NodePlan } from './plan.ts';
import { contractNode, type Letter } from './programs.contract.ts';
import { streamWindowBytes } from './stream.ts';

/** Nodes that run, as a test sees them. */
export interface Stage {
  /** What the programs recorded so far, in order. */
  history(): readonly HistoryEvent[];
  /** Lets time pass, until `enough` or the harness's own limit; the test then looks for itself. */
  until(enough: () => boolean): Promise<void>;
  /** Lets about this much time pass. */
  pass(us: number): Promise<void>;
  /** Ends a process as kill -9 would. It stays down until `boot`. */
  kill(node: string): Promise<void>;
  boot(node: string): Promise<void>;
  /** Asks a process to end, waits until it has, and starts it again. */
  restart(node: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts nodes with `contractBoot`. */
export type Harness = (nodes: readonly NodePlan[]) => Promise<Stage>;

export function hostContract(world: string, start: Harness): void {
  describe(`a host in the ${world} world`, () => {
    let stage: Stage | undefined;
    afterEach(async () => {
      await stage?.stop();
      stage = undefined;
    });

    const begin = async (nodes: readonly NodePlan[]) => {
      const begun = await start(nodes);
      stage = begun;
      const heard = (node: string, f: string) =>
        begun.history().filter((event) => event.node === node && event.f === f);
      return {
        stage: begun,
        heard,
        values: (node: string, f: string) => heard(node, f).map((event) => event.value),
        /** Waits for `count` reports, and gives them. */
        async hear(node: string, f: string, count = 1): Promise<readonly (Value | undefined)[]> {
          await begun.until(() => heard(node, f).length >= count);
          return heard(node, f).map((event) => event.value);
        },
      };
    };

    const b = { node: 'b', port: 'p' };
    const letter = (number: number): Letter => ({ type: 'letter', number });
    const steady = (to: object) => ({ to, letters: [letter(0)], everyUs: 10_000 });

    test('sends messages to a program, which sees who sent them, in order', async () => {
      const letters = Array.from({ length: 500 }, (_, i) => letter(i));
      const { hear } = await begin([
        contractNode('a', { x: ['talker', { to: b, letters, everyUs: 0 }] }),
        contractNode('b', { p: ['listener'], q: ['listener'] }),
      ]);
      const values = await hear('b', 'letter', 500);
      expect(values).toEqual(letters.map((each) => ({ from: 'a:x', ...each })));
    });

    test('carries every value as it is', async () => {
      const value: Value = {
        nothing: null,
        yes: true,
        numbers: [0, -1, 1.5, 2 ** 40, Number.MAX_SAFE_INTEGER, 1e-300],
        text: 'ключ\u0000🙂',
        big: 12345678901234567890n,
        bytes: new Uint8Array([0, 127, 128, 255]),
        nested: [{ list: [[], {}, ''] }],
        long: 'x'.repeat(70_000),
      };
      const letters: Letter[] = [{ type: 'letter', number: 1, value }];
      const { hear } = await begin([
        contractNode('a', { x: ['talker', { to: b, letters, everyUs: 0 }] }),
        contractNode('b', { p: ['listener'] }),
      ]);
      const [heard] = await hear('b', 'letter');
      expect(heard).toEqual({ from: 'a:x', type: 'letter', number: 1, value });
    });

    test('speaks to itself and to the other programs of its node', async () => {
      const letters: Letter[] = [{ type: 'echo', number: 3 }];
      const to = { node: 'a', port: 'y' };
      const { hear, values } = await begin([
        contractNode('a', { x: ['talker', { to, letters, everyUs: 0 }], y: ['listener'] }),
      ]);
      expect(await hear('a', 'letter')).toEqual([{ from: 'a:y', type: 'letter', number: 3 }]);
      expect(values('a', 'echo')).toEqual([{ from: 'a:x', type: 'echo', number: 3 }]);
    });

    test('keeps time: no timer fires early, in another order, or after it was cancelled', async () => {
      const { hear, values } = await begin([contractNode('a', { p: ['timekeeper'] })]);
      await hear('a', 'end');
      const timers = values('a', 'timer') as { index: number; early: number }[];
      expect(timers.map(({ index }) => index)).toEqual([1, 2, 4, 3, 0]);
      for (const { early } of timers) expect(early).toBeLessThanOrEqual(0);
      expect(values('a', 'fired')).toEqual([1]);
      expect(values('a', 'cancelled')).toEqual([]);
    });

    test('has clocks in whole microseconds, one of which never runs backward', async () => {
      const { hear } = await begin([contractNode('a', { p: ['timekeeper'] })]);
      const [clock] = (await hear('a', 'clock')) as {
        now: number;
        wall: number;
        isBackward: boolean;
      }[];
      expect(clock!.isBackward).toBe(false);
      expect(Number.isInteger(clock!.now) && Number.isInteger(clock!.wall)).toBe(true);
      expect(clock!.now).toBeGreaterThanOrEqual(0);
      // Microseconds since 1970: a date in this century.
      expect(new Date(clock!.wall / 1000).getUTCFullYear()).toBeGreaterThan(2024);
      expect(new Date(clock!.wall / 1000).getUTCFullYear()).toBeLessThan(2100);
    });

    test('takes as long for work as it costs, and calls back later, never at once', async () => {
      const { hear } = await begin([contractNode('a', { p: ['timekeeper'] })]);
      for (const f of ['spend', 'hold', 'charge']) {
        const [work] = (await hear('a', f)) as { took: number; isWithin: boolean }[];
        expect(work!.isWithin).toBe(false);
        if (f !== 'charge') expect(work!.took).toBeGreaterThanOrEqual(4_990);
      }
    });

    test('reckons truly, and calls back later', async () => {
      const bytes = new TextEncoder().encode('what is signed '.repeat(100));
      const hmacKey = new Uint8Array([1, 2, 3]);
      const pairs = {
        RS256: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
        ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
        EdDSA: generateKeyPairSync('ed25519'),
      };
      const jwk = (key: KeyObject) => key.export({ format: 'jwk' }) as Value;
      const signed = (name: SignatureName, key: KeyObject) => ({
        name,
        by: jwk(createPublicKey(key)),
        signature: new Uint8Array(
          sign(schemes[name].hash, bytes, { key, dsaEncoding: 'ieee-p1363' }),
        ),
      });
      const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey;
      const signatures = [
        signed('RS256', pairs.RS256.privateKey),
        signed('ES256', pairs.ES256.privateKey),
        signed('EdDSA', pairs.EdDSA.privateKey),
      ];
      const seed = fromHex(rfc8032.seed);
      const asked = { bytes, hmacKey, seed, key: jwk(createPublicKey(weak)), signatures };
      const { hear } = await begin([contractNode('a', { p: ['reckoner', asked] })]);
      const later = (value: Value) => ({ value, isWithin: false });
      const told = async (f: string) => (await hear('a', f))[0];
      expect(await told('digest')).toEqual(
        later(new Uint8Array(createHash('sha256').update(bytes).digest())),
      );
      expect(await told('hmac')).toEqual(
        later(new Uint8Array(createHmac('sha256', hmacKey).update(bytes).digest())),
      );
      for (const { name } of signatures) {
        expect(await told(`verify ${name}`)).toEqual(later(true));
        expect(await told(`other ${name}`)).toEqual(later(false));
        expect(await told(`stranger ${name}`)).toEqual(later(false));
      }
      expect(await told('sign')).toEqual(later(fromHex(rfc8032.signature)));
      const x = Buffer.from(rfc8032.key, 'hex').toString('base64url');
      expect(await told('public key')).toEqual(later({ kty: 'OKP', crv: 'Ed25519', x }));
      const [one, other] = (await told('secrets')) as Uint8Array[];
      expect([one?.length, other?.length]).toEqual([32, 32]);
      expect(one).not.toEqual(other);
      const { value: zipped } = (await told('gzip')) as { value: Uint8Array };
      expect(new Uint8Array(gunzipSync(zipped))).toEqual(bytes);
      const { value: squeezed } = (await told('br')) as { value: Uint8Array };
      expect(new Uint8Array(brotliDecompressSync(squeezed))).toEqual(bytes);
    });

    test('tells the sender when nobody listens at a port', async () => {
      const to = { node: 'b', port: 'nothing' };
      const { hear } = await begin([
        contractNode('a', { x: ['talker', { to, letters: [letter(1)], everyUs: 0 }] }),
        contractNode('b', { p: ['listener'] }),
      ]);
      expect(await hear('a', 'refused')).toEqual(['b:nothing letter']);
    });

    test('tells its peers when a process ends, and speaks to its next life', async () => {
      const { stage, hear, heard } = await begin([
        contractNode('a', { x: ['talker', steady(b)] }),
        contractNode('b', { p: ['listener'] }),
      ]);
      await hear('b', 'letter', 3);
      await stage.kill('b');
      expect((await hear('a', 'disconnected'))[0]).toBe('b');
      const before = heard('b', 'letter').length;
      await stage.pass(50_000);
      expect(heard('b', 'letter')).toHaveLength(before);
      await stage.boot('b');
      await hear('b', 'letter', before + 3);
      const lives = heard('b', 'letter').map((event) => event.life);
      expect(new Set(lives)).toEqual(new Set([1, 2]));
      expect(heard('b', 'boot').map((event) => event.value)).toEqual([1, 2]);
    });

    test('starts a program anew after a crash, with the disk as it was synced', async () => {
      const { stage, hear, values } = await begin([contractNode('a', { p: ['keeper'] })]);
      expect(await hear('a', 'stored')).toEqual([['ok', 'ok']]);
      expect(values('a', 'visible')).toEqual([[1, 2, 3, 4, 5]]);
      await stage.kill('a');
      await stage.boot('a');
      expect(await hear('a', 'found', 2)).toEqual([
        { files: [], inner: [], log: null, whole: null, none: null, hasRoom: true },
        {
          files: ['kept/log', 'kept/whole'],
          inner: ['kept/log', 'kept/whole'],
          log: [1, 2, 3, 4],
          whole: [8, 8],
          none: null,
          hasRoom: true,
        },
      ]);
    });

    test('ends the node of a program that throws, and only that, and starts it again', async () => {
      const letters: Letter[] = [letter(0), letter(1), letter(2), { type: 'throw', number: 0 }];
      const { hear, heard } = await begin([
        contractNode('a', { x: ['talker', { to: b, letters, everyUs: 10_000 }] }),
        contractNode('b', { p: ['listener'] }),
      ]);
      await hear('b', 'boot', 2);
      expect((await hear('a', 'disconnected'))[0]).toBe('b');
      expect(heard('a', 'boot')).toHaveLength(1);
    });

    test('lets a program finish before a graceful stop', async () => {
      const { stage, hear, heard } = await begin([
        contractNode('a', { x: ['talker', steady(b)] }),
        contractNode('b', { p: ['listener'] }),
      ]);
      await hear('b', 'letter', 3);
      await stage.restart('b');
      await hear('b', 'boot', 2);
      const [drain] = heard('b', 'drain');
      const [, second] = heard('b', 'boot');
      expect(drain!.life).toBe(1);
      // It asked for 20 ms, and got them.
      expect(second!.at - drain!.at).toBeGreaterThanOrEqual(20_000);
    });

    const speak = (more: object) => ({ to: b, chunks: ['x'], count: 1, how: 'keep', ...more });

    test.each([
      ['another node', 'b'],
      ['its own node', 'a'],
    ])('brings chunks to %s whole, in order and back, each way ending by itself', async (_, at) => {
      const chunks = ['', 'text äöü', new Uint8Array([0, 255, 7]), 'y'.repeat(300_000)];
      const to = { node: at, port: 'p' };
      const programs = { x: ['speaker', speak({ to, chunks, count: 9, how: 'echo' })] } as const;
      const { hear, values } = await begin(
        at === 'a'
          ? [contractNode('a', { ...programs, p: ['hearer'] })]
          : [contractNode('a', programs), contractNode('b', { p: ['hearer'] })],
      );
      const sent = Array.from({ length: 9 }, (_, i) => chunks[i % 4]!);
      await hear('a', 'closed', at === 'a' ? 2 : 1);
      expect(values('a', 'opened')).toEqual([`${at}:p`]);
      expect(values(at, 'stream')).toEqual(['a:x echo']);
      const [there, back] =
        at === 'a' ? values('a', 'ended') : [values('b', 'ended')[0], values('a', 'ended')[0]];
      expect(there).toMatchObject({ chunks: sent, last: { type: 'letter', number: 9 } });
      expect(back).toEqual({
        heard: [...sent, 'and that was all'],
        last: { type: 'letter', number: 9 },
      });
      expect(new Set(values('a', 'closed'))).toEqual(new Set(['done']));
      expect(await hear(at, 'closed')).toContain('done');
    });

    test('stops a writer whose reader is slow, and lets it go on', async () => {
      const chunk = new Uint8Array(10_000);
      const { hear, values } = await begin([
        contractNode('a', { x: ['speaker', speak({ chunks: [chunk], count: 100, how: 'slow' })] }),
        contractNode('b', { p: ['hearer'] }),
      ]);
      const [written] = (await hear('a', 'written')) as { waitingMax: number }[];
      // It stopped as soon as it was told, so nothing ever waited in its own memory.
      expect(written!.waitingMax).toBe(0);
      const [ended] = (await hear('b', 'ended')) as { bytes: number }[];
      expect(ended!.bytes).toBe(1_000_000);
      const pauses = values('a', 'paused') as number[];
      expect(pauses.length).toBeGreaterThan(2);
      expect(pauses[0]).toBe(Math.ceil(streamWindowBytes / (10_000 + 16)));
      const kept = values('b', 'kept') as number[];
      for (const [i, bytes] of kept.entries()) {
        expect(bytes - (kept[i - 1] ?? 0)).toBeLessThanOrEqual(streamWindowBytes + 10_000);
      }
    });

    test('refuses a stream that nobody takes', async () => {
      const { hear, values } = await begin([
        contractNode('a', {
          w: ['speaker', speak({ to: { node: 'b', port: 'nothing' } })],
          x: ['speaker', speak({ how: 'silent' })],
          y: ['speaker', speak({ to: { node: 'nobody', port: 'p' } })],
        }),
        contractNode('b', { p: ['hearer'] }),
      ]);
      expect(await hear('a', 'closed', 3)).toEqual(['refused', 'refused', 'refused']);
      expect(values('a', 'opened')).toEqual([]);
    });

    test('tells the writer when the reader breaks off', async () => {
      const { hear, values } = await begin([
        contractNode('a', { x: ['speaker', speak({ how: 'break', isOpenEnded: true })] }),
        contractNode('b', { p: ['hearer'] }),
      ]);
      expect(await hear('a', 'closed')).toEqual(['reset']);
      // Who broke it off knows.
      expect(values('b', 'broke')).toEqual([1]);
      expect(values('b', 'closed')).toEqual([]);
    });

    test('ends the streams of a process that dies', async () => {
      const { stage, hear } = await begin([
        contractNode('a', {
          x: ['speaker', speak({ isOpenEnded: true })],
          p: ['hearer'],
        }),
        contractNode('b', {
          p: ['hearer'],
          x: ['speaker', speak({ to: { node: 'a', port: 'p' }, isOpenEnded: true })],
        }),
      ]);
      await hear('a', 'opened');
      await hear('a', 'stream');
      await stage.kill('b');
      expect(await hear('a', 'closed', 2)).toEqual(['reset', 'reset']);
      await stage.boot('b');
      // The next life begins its own.
      expect(await hear('a', 'stream', 2)).toHaveLength(2);
    });

    test('records who says what, in which life, in order', async () => {
      const { hear, heard } = await begin([
        contractNode('a', { x: ['talker', steady(b)] }),
        contractNode('b', { p: ['listener'] }),
      ]);
      await hear('b', 'letter', 5);
      const events = heard('b', 'letter');
      for (const event of events) {
        expect(event).toMatchObject({ node: 'b', life: 1, block: 'contract', phase: 'ok' });
      }
      const ats = events.map((event) => event.at);
      expect(ats).toEqual(ats.toSorted((one, other) => one - other));
    });
  });
}

/** Test 1 of section 7.1: the empty message. */
const rfc8032 = {
  seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
  key: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  signature:
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
};

function fromHex(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits, 'hex'));
}
