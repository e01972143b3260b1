/** Text of a design in the language of HAProxy. */
import { plainText } from './words.ts';

/** In single quotes, in which nothing means anything but their end. */
export function single(at: string, text: string): string {
  return `'${plainText(at, text).replaceAll("'", `'\\''`)}'`;
}

/** For places with a log format, where a percent sign begins a variable. */
export function formatText(at: string, text: string): string {
  return plainText(at, text).replaceAll('%', '%%');
}
