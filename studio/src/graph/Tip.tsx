/** Figures of what one rests on. Read aloud they are in its name already. */
import { useLayoutEffect, useRef } from 'react';
import type { Point } from '../parts/plane/curve.ts';
import type { Size } from '../parts/plane/viewport.ts';
import type { Details } from './details.ts';
import styles from './Graph.module.css';

export interface TipProps {
  readonly details: Details;
  readonly at: Point;
  readonly size: Size;
}

const edge = 8;

export function Tip({ details, at, size }: TipProps) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const { offsetWidth, offsetHeight } = element;
    const left = at.x + offsetWidth > size.width - edge ? at.x - offsetWidth - 26 : at.x;
    const top = Math.min(at.y, size.height - offsetHeight - edge);
    element.style.transform = `translate(${Math.max(edge, left)}px, ${Math.max(edge, top)}px)`;
  });
  return (
    <div ref={box} className={styles.tip} aria-hidden="true">
      <div className={styles.tipTitle}>{details.title}</div>
      <div className={styles.tipSubtitle} data-tone={details.tone}>
        {details.subtitle}
      </div>
      {details.lines.length > 0 && (
        <dl>
          {details.lines.map(([what, value]) => (
            <div key={what}>
              <dt>{what}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}
