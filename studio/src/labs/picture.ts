/**
 * A chart as the page shows it. The file follows the reader's system; here it follows the theme that
 * was chosen for the page.
 */
export function pictureOf(svg: string, isDark: boolean): string {
  const themed = svg.replace('(prefers-color-scheme:dark)', isDark ? 'all' : 'not all');
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(themed)}`;
}
