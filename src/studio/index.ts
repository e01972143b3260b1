/** Studio's server: a design simulated here, or a system that runs. */
export { type DesignStudioOptions, openDesignStudio } from './design-studio.ts';
export { Filming } from './filming.ts';
export { type LiveStudio, openLiveStudio } from './live-studio.ts';
export type { StudioServer } from './server.ts';
