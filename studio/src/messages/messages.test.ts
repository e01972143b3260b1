import { describe, expect, test } from 'vitest';
import {
  heightOf,
  inksOf,
  instantText,
  lanesOf,
  laneY,
  lineAt,
  linesOf,
  messageInWords,
  outagesOf,
  panned,
  usAt,
  usualDelay,
  xOf,
  zoomed,
} from './diagram.ts';
import { diagramMermaid, diagramSvg } from './export.ts';
import { messages, nodes } from './messages.fixture.ts';

const lanes = lanesOf(messages, nodes);
const whole = { fromUs: 20_410_000, toUs: 20_460_000 };
const frame = { width: 500, height: heightOf(lanes.length), span: whole, lanes };
const lines = linesOf(messages, frame);

describe('geometry', () => {
  test('who speaks has a lane, in the order of the design', () => {
    expect(lanes).toEqual(['api/0', 'api/1', 'links/0', 'links/1', 'links/2']);
    expect(lanesOf([{ ...messages[0]!, to: 'new/9' }], nodes)).toEqual(['api/0', 'new/9']);
  });

  test('a line leaves when it was sent and comes when it arrived', () => {
    const line = lines[0]!;
    expect(usAt(frame, line.x1)).toBeCloseTo(line.message.sentAt);
    expect(usAt(frame, line.x2)).toBeCloseTo(line.message.arrivedAt!);
    expect([line.y1, line.y2]).toEqual([laneY(0), laneY(2)]);
  });

  test('what was lost ends on its way, what was refused at the lane', () => {
    const lost = lines.find((line) => line.message.fate === 'lost')!;
    expect(lost.hasArrived).toBe(false);
    expect(lost.y2).toBeLessThan(laneY(3));
    const refused = lines.find((line) => line.message.fate === 'refused')!;
    expect(refused.y2).toBe(laneY(3));
  });

  test('only what touches the span and stands between shown lanes is drawn', () => {
    const short = linesOf(messages, {
      ...frame,
      span: { fromUs: whole.fromUs, toUs: whole.fromUs + 1_000 },
    });
    expect(short.length).toBeLessThan(8);
    expect(linesOf(messages, { ...frame, lanes: ['api/0'] })).toEqual([]);
    expect(usualDelay([])).toBeGreaterThan(0);
  });

  test('the nearest line is found, and none far from all', () => {
    const line = lines[4]!;
    expect(lineAt(lines, (line.x1 + line.x2) / 2, (line.y1 + line.y2) / 2)).toBeDefined();
    expect(lineAt(lines, 499, 2)).toBeUndefined();
  });

  test('zooming keeps the instant under the pointer, and neither zoom nor pan leave the whole', () => {
    const atUs = 20_420_000;
    const near = zoomed(whole, whole, atUs, 0.5);
    expect(xOf({ width: 500, span: near }, atUs)).toBeCloseTo(xOf(frame, atUs));
    expect(zoomed(near, whole, atUs, 100)).toEqual(whole);
    expect(panned(near, whole, -1e9).fromUs).toBe(whole.fromUs);
    expect(panned(near, whole, 1e9).toUs).toBe(whole.toUs);
  });
});

describe('words', () => {
  test('a message says itself, with what became of it', () => {
    expect(messageInWords(messages[0]!)).toBe('api/0 → links/0: get k0 #0. 260\u202fµs on the way');
    expect(messageInWords(messages.find((one) => one.fate === 'lost')!)).toContain(
      'lost on the way',
    );
    expect(messageInWords(messages.find((one) => one.late)!)).toContain(
      'nobody waited for it any more',
    );
  });

  test('instants are as exact as the window needs', () => {
    expect(instantText(20_412_300, 50_000)).toBe('20.412 s');
    expect(instantText(20_412_340, 500)).toBe('20.41234 s');
  });

  test('blocks have colours of their own', () => {
    expect(inksOf(messages).get('api')).not.toBe(inksOf(messages).get('links'));
  });
});

test('a node is down from its crash to its boot, or on', () => {
  expect(
    outagesOf([
      { type: 'crash', at: 5, node: 'a', why: 'killed' },
      { type: 'crash', at: 6, node: 'b', why: 'killed' },
      { type: 'boot', at: 9, node: 'a', life: 2 },
    ]),
  ).toEqual([
    { node: 'a', fromUs: 5, toUs: 9 },
    { node: 'b', fromUs: 6, toUs: Number.POSITIVE_INFINITY },
  ]);
});

describe('files', () => {
  const colours = { paper: '#fff', text: '#000', faint: '#777', line: '#ddd', fault: '#c40' };

  test('SVG has every line with its words', () => {
    const svg = diagramSvg(frame, lines, inksOf(messages), () => '#07b', colours);
    expect(svg.match(/<title>/g)).toHaveLength(lines.length);
    expect(svg).not.toContain('NaN');
  });

  test('Mermaid has participants and arrows by fate, and says what it leaves out', () => {
    const mermaid = diagramMermaid(messages, lanes);
    expect(mermaid).toContain('participant n2 as links/0');
    expect(mermaid).toContain('n0->>n2: get k0 0');
    expect(mermaid).toMatch(/--x/);
    expect(diagramMermaid([...messages, ...messages, ...messages], lanes)).toMatch(
      /\d+ further messages/,
    );
  });
});
