/** Stages of a policy that HAProxy has too: checks, ejection, slow start, a bulkhead, a pace, stickiness. */
import { ratePerSec } from '../../kit/units.ts';

import { single } from './haproxy-text.ts';
import type { Remarks } from './remarks.ts';
import type { Upstream } from './task.ts';
import { token } from './words.ts';

export const haproxyStages = ['health', 'outliers', 'slowStart', 'bulkhead', 'pace', 'sticky'];

export function stageLines({ at, policy }: Upstream): string[] {
  const { health, sticky } = policy;
  const lines: string[] = [];
  if (health) {
    const what =
      health.path === undefined ? 'meth OPTIONS uri *' : `meth GET uri ${single(at, health.path)}`;
    lines.push(
      '  option httpchk',
      `  http-check send ${what}`,
      '  http-check expect rstatus ^[1234]',
      `  timeout check ${inMs(health.timeoutUs)}`,
    );
  }
  if (!sticky) return lines;
  const [kind, name = ''] = sticky.by.split(':', 2);
  if (kind === 'cookie') {
    lines.push(`  cookie ${token(at, name)} insert indirect nocache httponly`);
    return lines;
  }
  const key =
    kind === 'header' ? `req.fhdr(${token(at, name)},1)` : kind === 'url' ? 'pathq' : 'src';
  lines.push(
    `  stick-table type string len 128 size ${sticky.keysMax} expire 1h`,
    `  stick on ${key}`,
  );
  return lines;
}

/** Refused when every server of a backend is at its pace: what HAProxy counts of a server is what it was sent. */
export function paceLines(servers: readonly string[], { policy }: Upstream): string[] {
  const { pace } = policy;
  if (!pace || servers.length === 0) return [];
  const perSec = Math.max(1, Math.floor(ratePerSec(pace.rate)));
  const all = servers.map((server) => `{ srv_sess_rate(${server}) ge ${perSec} }`).join(' ');
  return [
    `  http-request return status 429 content-type text/plain string 'slow down' hdr retry-after 1 if ${all}`,
  ];
}

/** What stands behind each server. */
export function serverOptions(id: string, { policy, pools }: Upstream): string {
  const { health, outliers, slowStart, bulkhead, sticky } = policy;
  const serverCount = pools.reduce((sum, { servers }) => sum + servers.length, 0);
  const options: string[] = [];
  if (health) {
    const { intervalUs, intervalUndecidedUs, fall, rise } = health;
    options.push(
      `check inter ${inMs(intervalUs)} fastinter ${inMs(intervalUndecidedUs)} fall ${fall} rise ${rise}`,
    );
    if (outliers) {
      options.push(`observe layer7 error-limit ${outliers.consecutive} on-error mark-down`);
    }
    if (slowStart) options.push(`slowstart ${inMs(slowStart.warmupUs)}`);
  }
  if (bulkhead) {
    options.push(`maxconn ${Math.ceil(bulkhead.slots / serverCount)}`);
    if (bulkhead.queueMax > 0)
      options.push(`maxqueue ${Math.ceil(bulkhead.queueMax / serverCount)}`);
  }
  if (sticky?.by.startsWith('cookie:')) options.push(`cookie ${id}`);
  return options.map((one) => ` ${one}`).join('');
}

export function stageRemarks({ at, policy }: Upstream, remarks: Remarks): void {
  const { health, outliers, slowStart, bulkhead, pace, sticky } = policy;
  if (outliers && health) {
    remarks.approximated(
      `${at}.outliers`,
      'observe layer7 with on-error mark-down',
      'So many failures in a row take a server out until its checks are good again; success rates are not compared.',
    );
  }
  for (const [name, stage] of Object.entries({ outliers, slowStart })) {
    if (!stage || health) continue;
    const why = 'HAProxy brings a server back by its checks only. Give the policy `health`.';
    remarks.missing(`${at}.${name}`, 'nothing', why);
  }
  if (bulkhead) {
    const why = 'HAProxy bounds requests by server; together they are as many.';
    remarks.approximated(`${at}.bulkhead`, 'maxconn and maxqueue of each server', why);
  }
  if (pace) {
    const why =
      'HAProxy counts what a server is sent in a second, refuses when all are at it, and passes over none that is; it knows no burst, and retries are not asked again.';
    remarks.approximated(`${at}.pace`, 'srv_sess_rate of all servers', why);
  }
  if (sticky && !sticky.by.startsWith('cookie:')) {
    remarks.approximated(
      `${at}.sticky`,
      'stick on, forgotten after an hour',
      'A table of HAProxy forgets by age.',
    );
  }
}

function inMs(us: number): string {
  return `${Math.max(1, Math.ceil(us / 1_000))}ms`;
}
