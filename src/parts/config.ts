/** The knob tables' reader, for who uses a part alone: `configure('breaker', breakerKnobs, { … })`. */
export { type ConfigOf, configure, type OptionsOf } from '../kit/config.ts';
