/**
 * The way of one request for a terminal, a line a span, with time to the right:
 *
 *   #2189 GET /abc took 8ms, from 4.38s on: ok
 *     edge/0 GET /abc             ·━━━━━━━━━━━━━━━━━━━━━━━━━━━━·   8ms
 *       api/0 GET /abc              ·━━━━━━━━━━━━━━━━━━━━━━━━·     7ms  worked 400us
 *         links/1 ask abc                 ·━━━·                    1ms
 *
 *   · on the way   ━ there   ✕ never got there   ╌ nobody waits any more
 */
import type { Micros } from '../host/host.ts';
import type { Span, Waterfall } from '../run/traced.ts';
import { ms, seconds } from './figures.ts';
import { cut, plainStyle, type Style, widthOf } from './style.ts';

const labelWidth = 36;
const barWidth = 26;
const columnsMax = 100;

export function renderWaterfall(waterfall: Waterfall, style: Style = plainStyle): string {
  const { request, spans, leftOut } = waterfall;
  const { index, what, startUs, latencyUs, outcome } = request;
  const took = latencyUs === null ? 'has no end' : `took ${ms(latencyUs / 1_000)}`;
  const paint = outcome === 'ok' ? style.good : style.bad;
  const head = `${style.strong(`#${index} ${cut(what, 50)}`)} ${took}, from ${seconds(startUs / 1e6)} on: ${paint(outcome)}`;
  const scale = scaleOf(request.startUs, spans);
  return [
    head,
    ...spans.map((span) => spanLine(span, depthOf(spans, span), scale, style)),
    ...(leftOut > 0 ? [`  … and ${leftOut} more`] : []),
  ].join('\n');
}

interface Scale {
  readonly startUs: Micros;
  readonly usPerColumn: number;
}

function scaleOf(startUs: Micros, spans: readonly Span[]): Scale {
  const lastUs = Math.max(startUs + 1, ...spans.map(lastOf));
  return { startUs, usPerColumn: (lastUs - startUs) / barWidth };
}

function lastOf({ sentAt, arrivedAt, repliedAt, endedAt }: Span): Micros {
  return Math.max(sentAt, arrivedAt ?? 0, repliedAt ?? 0, endedAt ?? 0);
}

function depthOf(spans: readonly Span[], { parent }: Span): number {
  return parent === null ? 1 : 1 + depthOf(spans, spans[parent]!);
}

function spanLine(span: Span, depth: number, scale: Scale, style: Style): string {
  const indent = '  '.repeat(Math.min(depth, 8));
  const label = cut(`${indent}${span.to} ${span.what}`, labelWidth);
  const { endedAt, repliedAt, sentAt } = span;
  const tookUs = (endedAt ?? repliedAt ?? sentAt) - sentAt;
  const took = endedAt === null && repliedAt === null ? '' : ms(tookUs / 1_000);
  const remark = remarkOf(span);
  const line = `${padded(label, labelWidth)} ${padded(bar(span, scale), barWidth)} ${took.padStart(6)}`;
  const space = columnsMax - widthOf(line) - 2;
  return remark === '' || space < 8
    ? line.trimEnd()
    : `${line}  ${(isBad(span) ? style.bad : style.dim)(cut(remark, space))}`;
}

function isBad({ outcome }: Span): boolean {
  return outcome !== 'ok' && outcome !== 'abandoned';
}

function remarkOf({ outcome, attempt, queuedUs, servedUs }: Span): string {
  return [
    ...(outcome === 'ok' ? [] : [outcome]),
    ...(attempt > 1 ? [`try ${attempt}`] : []),
    ...(queuedUs > 0 ? [`queued ${ms(queuedUs / 1_000)}`] : []),
    ...(servedUs > 0 ? [`worked ${ms(servedUs / 1_000)}`] : []),
  ].join(', ');
}

function bar(span: Span, { startUs, usPerColumn }: Scale): string {
  const { sentAt, arrivedAt, repliedAt, endedAt } = span;
  const columnOf = (at: Micros): number => Math.round((at - startUs) / usPerColumn);
  let drawn = ' '.repeat(Math.min(barWidth - 1, columnOf(sentAt)));
  const upTo = (at: Micros, letter: string): void => {
    drawn += letter.repeat(Math.max(0, columnOf(at) - drawn.length));
  };
  if (arrivedAt === null) {
    upTo(endedAt ?? sentAt, '·');
    return `${drawn.slice(0, barWidth - 1)}✕`;
  }
  upTo(arrivedAt, '·');
  // Whoever got it worked on it, however short that was.
  drawn = `${drawn.slice(0, barWidth - 1)}━`;
  upTo(repliedAt ?? endedAt ?? arrivedAt, '━');
  if (endedAt !== null) upTo(endedAt, '·');
  return endedAt === null ? `${drawn.slice(0, barWidth - 1)}╌` : drawn;
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}
