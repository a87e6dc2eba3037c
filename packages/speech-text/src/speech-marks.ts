/**
 * The mark for a silence in spoken text.
 *
 * @param seconds from 0; written with milliseconds at most
 */
export function pauseMark(seconds: number): string {
  return `[pause ${Math.round(seconds * 1000)}ms]`;
}
