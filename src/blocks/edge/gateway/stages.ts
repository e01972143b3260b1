/**
 * The stages of a gateway in their fixed order, of which each route has those that are configured:
 *
 *   trace → reply headers → CORS → flood → request check → preflights → limit by address → WAF → authenticate → usage → limit by identity → quota
 *
 * What browsers ask beforehand costs no limit: a page did not choose to ask. A limit that is shared comes after those of its place that are counted here.
 */
import type { ProgramCode } from '../../../host/declaration.ts';
import type { Host } from '../../../host/host.ts';
import { type AskService, Authentication } from './auth.ts';
import type { DoorConfig, RouteConfig } from './config.ts';
import { FloodStage } from './flood.ts';
import { RequestCheck, TraceStage } from './hygiene.ts';
import { Limits } from './limits.ts';
import { QuotaBook } from './quota.ts';
import { QuotaStage } from './quota-stage.ts';
import { CorsHeaders, Preflights, ReplyHeaders } from './replies.ts';
import { UsageStage } from './usage.ts';
import type { Stage } from './visit.ts';
import { WafStage } from './waf.ts';

export interface Stages {
  stagesOf(route: RouteConfig): readonly Stage[];
  /** Of requests that no route takes. */
  readonly strays: readonly Stage[];
  /** What must be written down before the gateway ends. */
  close(done: () => void): void;
}

export function makeStages(
  host: Host,
  config: DoorConfig,
  open: ProgramCode['open'],
  ask: AskService,
): Stages {
  const limits = new Limits(host, config.locations, open);
  const authentication = config.auth ? new Authentication(host, config.auth, ask) : undefined;
  const { requests } = config;
  const trace = config.trace ? new TraceStage(host, config.trace) : undefined;
  const added = config.replyHeaders.length > 0 ? new ReplyHeaders(config.replyHeaders) : undefined;
  const waf = config.waf ? new WafStage(host, config.waf) : undefined;
  const flood = config.flood ? new FloodStage(host, config.flood) : undefined;
  const checked = requests ? new RequestCheck(requests) : undefined;
  const cors = config.cors ? new CorsHeaders(config.cors) : undefined;
  const preflights = config.cors ? new Preflights(config.cors) : undefined;
  const usage = config.usage ? new UsageStage(host, config.usage) : undefined;
  const book = config.quotas.length > 0 ? new QuotaBook(host.disk) : undefined;
  const quota = book && new QuotaStage(host, book, config.quotas, config);

  function make(route: RouteConfig | undefined): readonly Stage[] {
    const own = limits.stages([...config.limits, ...(route?.limits ?? [])]);
    const shared = limits.sharedStages([...config.shared, ...(route?.shared ?? [])]);
    return [
      trace,
      added,
      cors,
      flood,
      checked,
      preflights,
      own.byAddress,
      shared.byAddress,
      waf,
      // Who asks for what is not there need not say who it is, but may.
      authentication?.stage(route?.auth ?? 'optional', route?.tiers ?? []),
      usage,
      own.byIdentity,
      shared.byIdentity,
      quota,
    ].filter((stage) => stage !== undefined);
  }

  const byRoute = new Map(config.routes.map((route) => [route, make(route)]));
  return {
    stagesOf: (route) => byRoute.get(route)!,
    strays: make(undefined),
    close: (done) => (book ? book.close(done) : done()),
  };
}
