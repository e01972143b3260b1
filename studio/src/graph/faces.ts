/** The page's fonts, for a worker: it has none of the page's style sheets. */
export interface Face {
  readonly family: string;
  /** With whole addresses: a worker made of text has no folder of its own. */
  readonly source: string;
  readonly weight: string;
  /** A canvas of the page has those of the page's text by itself: digits of one width, for one. */
  readonly features: string;
}

export function pageFaces(): readonly Face[] {
  const { fontFeatureSettings, fontVariantNumeric } = getComputedStyle(document.body);
  const features = [
    ...(fontFeatureSettings === 'normal' ? [] : [fontFeatureSettings]),
    ...(fontVariantNumeric.includes('tabular-nums') ? ['"tnum"'] : []),
  ];
  return [...document.styleSheets].flatMap(({ cssRules, href }) =>
    [...cssRules]
      .filter((rule) => rule instanceof CSSFontFaceRule)
      .map(({ style }) => ({
        family: style.getPropertyValue('font-family').replace(/^["']|["']$/g, ''),
        source: wholeAddresses(style.getPropertyValue('src'), href ?? document.baseURI),
        weight: style.getPropertyValue('font-weight'),
        features: features.join() || 'normal',
      })),
  );
}

export function wholeAddresses(source: string, base: string): string {
  return source.replace(
    /url\((["']?)([^"')]+)\1\)/g,
    (_, _quote, address: string) => `url("${new URL(address, base).href}")`,
  );
}

/** Ends when all have come or failed. */
export async function loadFaces(faces: readonly Face[], fonts: FontFaceSet): Promise<void> {
  const loads = faces.map(({ family, source, weight, features }) => {
    const face = new FontFace(family, source, { weight, featureSettings: features });
    fonts.add(face);
    return face.load();
  });
  await Promise.allSettled(loads);
}
