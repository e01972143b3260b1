/** Some thousands of real URLs: where the logos in `simple-icons` come from. */
import icons from 'simple-icons/icons.json' with { type: 'json' };

export const realUrls: readonly string[] = [...new Set(icons.map((icon) => icon.source))].filter(
  (source) => source.startsWith('http'),
);
