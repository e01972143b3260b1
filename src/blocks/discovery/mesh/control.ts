/**
 * The control plane: one node that knows which version each sidecar should have, and what calls between services
 * came to. It is on no request's way: while it is down, sidecars go on with what they have.
 */
import type { Address, Handlers, Host, Value } from '../../../host/host.ts';
import { hashText } from '../../../kit/random.ts';
import { Authority } from './authority.ts';
import type { ControlConfig } from './config.ts';
import type { MeshMessage } from './messages.ts';
import { open, seal } from './sealed.ts';
import { type Kept, Versions } from './versions.ts';

const file = 'mesh/versions';

export function control(host: Host, config: ControlConfig): Handlers<MeshMessage> {
  const stored = host.disk.read(file);
  const versions = new Versions(config, stored && (open(file, stored) as unknown as Kept));
  const authority =
    config.identity === 'required'
      ? new Authority(host, config.name, config.identityForUs)
      : undefined;
  const requests = host.meter.counter('requests');
  const errors = host.meter.counter('errors');
  const version = host.meter.gauge('version');
  version.set(versions.state.version);

  function answer(to: Address, id: number): void {
    host.send(to, { type: 'state', id, state: versions.state } satisfies MeshMessage);
  }

  /** What holds is durable before anybody is told of it. */
  function keep(done: (why: string | undefined) => void): void {
    host.disk.replace(file, seal(versions.kept as unknown as Value), (outcome) => {
      version.set(versions.state.version);
      if (outcome !== 'ok') errors.add();
      done(outcome === 'ok' ? undefined : `the disk is ${outcome}`);
    });
  }

  function change(from: Address, id: number, how: () => void): void {
    requests.add();
    how();
    keep((why) => {
      if (why === undefined) answer(from, id);
      else host.send(from, { type: 'refusal', id, why } satisfies MeshMessage);
    });
  }

  function judge(): void {
    const became = versions.judge(host.now());
    if (became === undefined) return;
    const { version: number, takenBack } = versions.state;
    host.meter.note(
      became === 'holds' ? `version ${number} holds for all` : `taken back: ${takenBack}`,
    );
    if (became === 'holds') keep(() => {});
  }

  return {
    message(from, message) {
      switch (message.type) {
        case 'sync': {
          versions.counted(message.service, message.version, message.pairs);
          judge();
          const due = versions.for((hashText(from.node) >>> 0) / 2 ** 32);
          if (due.version === message.version) return;
          host.send(from, { type: 'version', ...due } satisfies MeshMessage);
          return;
        }
        case 'identify':
          return authority?.issue(from, ({ identity, until, key }) => {
            host.send(from, { type: 'identity', identity, until, key } satisfies MeshMessage);
          });
        case 'apply':
          return change(from, message.id, () => versions.apply(message.change, host.now()));
        case 'roll-back':
          return change(from, message.id, () => versions.rollBack());
        case 'ask-state':
          return answer(from, message.id);
      }
    },
  };
}
