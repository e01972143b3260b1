/** `loadpath/lab`: what a lab is written with. */
export { type Estimate, estimate } from '../summary.ts';
export { type Axis, bars, type Chart, type Figure, lines, marks, table } from './figure.ts';
export {
  isLab,
  type Judgement,
  type Lab,
  type LabOptions,
  type LabRecord,
  type LabVerdict,
  lab,
  type Setting,
} from './lab.ts';
export { digits, listed, ms, percent, whole, within } from './words.ts';
