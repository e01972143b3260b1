import { expect, test } from 'vitest';
import { pictureOf } from './picture.ts';

test('a picture follows the theme of the page, not of the system', () => {
  const svg = '<svg><style>@media (prefers-color-scheme:dark){svg{--ink:#fff}}</style></svg>';
  expect(decodeURIComponent(pictureOf(svg, true))).toContain('@media all{');
  expect(decodeURIComponent(pictureOf(svg, false))).toContain('@media not all{');
});
