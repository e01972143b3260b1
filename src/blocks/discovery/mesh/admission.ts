/**
 * Who a sidecar is, and whom it lets in. It asks the control plane for an identity, again at half its
 * time, and goes on with the one it has while nobody answers. A request shows the identity of its caller,
 * which is checked once and remembered until it ends.
 *
 *   boot ──identify──▶ control plane ──identity, key──▶ held ──half its time──▶ identify …
 *   request ──▶ shown? signed? of this node? in time? allowed here? ──▶ the instance
 */
import type { PublicKey } from '../../../host/crypto.ts';
import type { Address, Host, Micros, Timer } from '../../../host/host.ts';
import { blockOfNode } from '../../../host/path.ts';
import type { WebRequest } from '../../../host/web.ts';
import type { Random } from '../../../kit/random.ts';
import { Lru } from '../../../parts/lru.ts';
import { controlPort, type SidecarConfig } from './config.ts';
import { identityHeader, read, serviceIn, statement } from './identity.ts';
import type { MeshMessage } from './messages.ts';

/** Why not, as a status: nobody one knows, nobody who may, or not yet able to tell. */
export type Verdict = 'come in' | 401 | 403 | 503;

/** How long a call waits for an identity that a sidecar has not got yet. */
const patienceUs: Micros = 500_000;
/** Clocks of two machines may differ by so much. */
const leewayUs: Micros = 10_000_000;
const callersMax = 10_000;

export class Admission {
  readonly #host: Host;
  readonly #config: SidecarConfig;
  readonly #random: Random;
  #identity: string | undefined;
  #key: PublicKey | undefined;
  #timer: Timer | undefined;
  #askedAt: Micros = Number.NEGATIVE_INFINITY;
  readonly #waiting = new Set<() => void>();
  /** What was checked: the service that it is of, and until when. */
  readonly #known = new Lru<string, { readonly service: string; readonly until: Micros }>({
    entriesMax: callersMax,
  });

  constructor(host: Host, config: SidecarConfig) {
    this.#host = host;
    this.#config = config;
    this.#random = host.random.fork('identity');
    this.#ask();
  }

  /** From the control plane. */
  take({ identity, until, key }: Extract<MeshMessage, { readonly type: 'identity' }>): void {
    this.#identity = identity;
    this.#key = { ...key };
    this.#timer?.cancel();
    // Sidecars that started together would all renew together.
    const inUs = (until - this.#host.wall()) * (0.4 + 0.2 * this.#random.next());
    this.#timer = this.#host.after(Math.max(this.#config.syncUs, Math.floor(inUs)), () =>
      this.#ask(),
    );
    for (const go of [...this.#waiting]) go();
  }

  /** With the identity of this sidecar; undefined: it has none, and waited for it. Forgotten by what it returns. */
  show(request: WebRequest, then: (shown: WebRequest | undefined) => void): () => void {
    return this.#whenIdentified(() =>
      then(
        this.#identity === undefined
          ? undefined
          : { ...request, headers: [...without(request.headers), identityHeader, this.#identity] },
      ),
    );
  }

  /** The request without what was shown, and whether it may come in. */
  check(
    from: Address,
    request: WebRequest,
    done: (verdict: Verdict, plain: WebRequest) => void,
  ): () => void {
    const plain = { ...request, headers: without(request.headers) };
    const shown = shownIn(request.headers);
    let isOver = false;
    const say = (verdict: Verdict): void => {
      if (!isOver) done(verdict, plain);
    };
    const forget =
      shown === undefined
        ? this.#later(() => say(this.#allows(blockOfNode(from.node), true)))
        : this.#whenIdentified(() => this.#verify(from, shown, say));
    return () => {
      isOver = true;
      forget();
    };
  }

  #verify(from: Address, shown: string, say: (verdict: Verdict) => void): void {
    const { name: mesh } = this.#config;
    const key = this.#key;
    if (!key) return say(503);
    const document = read(shown);
    if (!document) return say(401);
    const { claims, signature } = document;
    if (claims.node !== from.node || claims.until + leewayUs < this.#host.wall()) return say(401);
    const known = this.#known.get(shown);
    if (known) return say(this.#allows(known.service, false));
    this.#host.crypto.verify('EdDSA', key, statement(claims), signature, (isGood) => {
      const service = serviceIn(mesh, claims.name);
      if (isGood && service !== undefined) {
        this.#known.set(shown, { service, until: claims.until });
        return say(this.#allows(service, false));
      }
      // The control plane may have lost its key and drawn another.
      if (this.#host.now() - this.#askedAt > this.#config.syncUs) this.#ask();
      say(401);
    });
  }

  /** Who is a gateway has no sidecar: such callers are let in by name only. */
  #allows(caller: string, isNodeOnly: boolean): Verdict {
    const allowed = this.#config.allow[this.#config.service];
    if (allowed?.includes(caller)) return 'come in';
    if (isNodeOnly) return 401;
    return allowed ? 403 : 'come in';
  }

  #ask(): void {
    const { control, syncUs } = this.#config;
    this.#askedAt = this.#host.now();
    this.#timer?.cancel();
    this.#timer = this.#host.after(syncUs, () => this.#ask());
    this.#host.send({ node: control, port: controlPort }, {
      type: 'identify',
    } satisfies MeshMessage);
  }

  #whenIdentified(then: () => void): () => void {
    if (this.#identity !== undefined) return this.#later(then);
    const timer = this.#host.after(patienceUs, () => go());
    const go = (): void => {
      forget();
      then();
    };
    const forget = (): void => {
      timer.cancel();
      this.#waiting.delete(go);
    };
    this.#waiting.add(go);
    return forget;
  }

  /** Now: the caller of this must have what is returned before anything happens. */
  #later(then: () => void): () => void {
    then();
    return () => {};
  }
}

function shownIn(headers: readonly string[]): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() === identityHeader) return headers[i + 1];
  }
  return undefined;
}

function without(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() !== identityHeader) kept.push(headers[i]!, headers[i + 1]!);
  }
  return kept;
}
