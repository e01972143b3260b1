/**
 * Who vouches for sidecars: the half of the control plane that has the key. The key is drawn once and kept
 * on its disk; what it signs holds for a while only, so that what was stolen or renamed ends by itself.
 */
import type { SeedKey } from '../../../host/crypto.ts';
import type { Address, Host, Micros } from '../../../host/host.ts';
import { blockOfNode } from '../../../host/path.ts';
import { type Claims, nameOf, statement, written } from './identity.ts';
import { open, seal } from './sealed.ts';

const file = 'mesh/authority';
const seedBytes = 32;

export interface Issued {
  readonly identity: string;
  readonly until: Micros;
  readonly key: SeedKey;
}

export class Authority {
  readonly #host: Host;
  readonly #mesh: string;
  readonly #lifetimeUs: Micros;
  #seed: Uint8Array | undefined;
  #key: Issued['key'] | undefined;
  readonly #waiting: (() => void)[] = [];

  /** Throws `LoadpathError` ('data-corrupt') when its key cannot be read. */
  constructor(host: Host, mesh: string, lifetimeUs: Micros) {
    this.#host = host;
    this.#mesh = mesh;
    this.#lifetimeUs = lifetimeUs;
    const stored = host.disk.read(file);
    if (stored) this.#use(open(file, stored) as Uint8Array);
    else this.#draw();
  }

  /** For the sidecar at that address: where it stands says which service's it is. */
  issue({ node }: Address, done: (issued: Issued) => void): void {
    const seed = this.#seed;
    const key = this.#key;
    if (!seed || !key) {
      this.#waiting.push(() => this.issue({ node, port: '' }, done));
      return;
    }
    const until = this.#host.wall() + this.#lifetimeUs;
    const claims: Claims = { name: nameOf(this.#mesh, blockOfNode(node)), node, until };
    this.#host.crypto.sign(seed, statement(claims), (signature) =>
      done({ identity: written(claims, signature), until, key }),
    );
  }

  /** Durable before anything is signed with it: after a crash sidecars must not meet another one. */
  #draw(): void {
    const seed = this.#host.crypto.secret(seedBytes);
    this.#host.disk.replace(file, seal(seed), (outcome) => {
      if (outcome === 'ok') this.#use(seed);
      else this.#host.after(retryUs, () => this.#draw());
    });
  }

  #use(seed: Uint8Array): void {
    this.#host.crypto.publicKey(seed, (key) => {
      this.#seed = seed;
      this.#key = key;
      for (const go of this.#waiting.splice(0)) go();
    });
  }
}

const retryUs: Micros = 1_000_000;
