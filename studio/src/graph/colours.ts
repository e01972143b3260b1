/** The colours of the canvas, read from the same tokens as the style sheets. */
import { readTokens } from '../theme/theme.ts';

const tokens = {
  ground: '--graph-bg',
  grid: '--graph-grid',
  zone: '--graph-zone',
  surface: '--surface',
  sunken: '--surface-sunken',
  line: '--line',
  lineStrong: '--line-strong',
  text: '--text',
  textSoft: '--text-2',
  textFaint: '--text-3',
  accent: '--accent',
  path: '--graph-path',
  pathIdle: '--graph-path-idle',
  traffic: '--graph-traffic',
  trafficFailed: '--graph-traffic-failed',
  queue: '--graph-queue',
  warn: '--warn-fill',
  warnText: '--warn',
  bad: '--bad-fill',
  badText: '--bad',
  badSoft: '--bad-soft',
  fault: '--fault-fill',
  faultSoft: '--fault-soft',
  font: '--font',
  blue: '--series-1',
  green: '--series-3',
  violet: '--series-4',
  amber: '--series-5',
  grey: '--series-8',
} as const;

export type Colours = Readonly<Record<keyof typeof tokens, string>>;

export function readColours(): Colours {
  const values = readTokens(Object.values(tokens));
  return Object.fromEntries(
    Object.entries(tokens).map(([name, token]) => [name, values[token]]),
  ) as Colours;
}

/** The hue that a `block.ts` asks for; a name that this version does not know is grey. */
export function hueOf(colours: Colours, name: string | undefined): string {
  switch (name) {
    case 'blue':
    case 'green':
    case 'violet':
    case 'amber':
      return colours[name];
    default:
      return colours.grey;
  }
}
