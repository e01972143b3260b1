/** Stated in every report: the same seed gives the same run within one version. A test holds it to package.json. */
export const version = '0.1.0';
