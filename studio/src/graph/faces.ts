/** The page's fonts, for a worker: it has none of the page's style sheets. */
export interface Face {
  readonly family: string;
  /** With whole addresses: a worker made of text has no folder of its own. */
  readonly source: string;
  readonly weight: string;
}

export function pageFaces(): readonly Face[] {
  return [...document.styleSheets].flatMap(({ cssRules, href }) =>
    [...cssRules]
      .filter((rule) => rule instanceof CSSFontFaceRule)
      .map(({ style }) => ({
        family: style.getPropertyValue('font-family').replace(/^["']|["']$/g, ''),
        source: wholeAddresses(style.getPropertyValue('src'), href ?? document.baseURI),
        weight: style.getPropertyValue('font-weight'),
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
  const loads = faces.map(({ family, source, weight }) => {
    const face = new FontFace(family, source, { weight });
    fonts.add(face);
    return face.load();
  });
  await Promise.allSettled(loads);
}
