/**
 * What is shown at which zoom. Things fade in over a range of scales rather than jump, and names
 * grow against the zoom, so that an overview of sixty blocks can still be read.
 */
export interface Levels {
  /** Rate and p99 on cards and tiles: 0 hidden, 1 shown. */
  readonly figures: number;
  /** Rates beside paths. */
  readonly pathLabels: number;
  /** Load, queue and glyphs within a node; below, a node is a dot of its state. */
  readonly nodeDetail: number;
  /** On the plane, pixels. */
  readonly namePx: number;
  readonly figurePx: number;
  readonly labelPx: number;
  readonly linePx: number;
  /** Share of the particles that are drawn. */
  readonly particles: number;
  /** Speed on the plane that looks the same on the screen, within reason. */
  readonly haste: number;
}

const namePx = 13;
/** Smaller letters than this cannot be read on a screen. */
const nameScreenMinPx = 9.5;
/** As large as fits into a card that shows nothing else. */
const namePlaneMaxPx = 30;

export function levelsAt(scale: number): Levels {
  return {
    figures: ramp(scale, 0.5, 0.62),
    pathLabels: ramp(scale, 0.58, 0.7),
    nodeDetail: ramp(scale, 0.38, 0.5),
    namePx: Math.min(namePlaneMaxPx, Math.max(namePx, nameScreenMinPx / scale)),
    figurePx: Math.min(15, Math.max(12, 9.5 / scale)),
    labelPx: Math.min(13.5, Math.max(11, 9 / scale)),
    // One pixel on the screen at any zoom, two when blown up.
    linePx: scale >= 1 ? 1 : 1 / scale,
    particles: Math.min(1, Math.max(0.35, scale * 1.2)),
    haste: 1 / Math.min(1, Math.max(0.4, scale)),
  };
}

function ramp(value: number, from: number, to: number): number {
  return Math.min(1, Math.max(0, (value - from) / (to - from)));
}
