/**
 * A lab: one claim about how systems behave, put to the test. A lab measures, and the verdict is
 * worked out from what it measured; nobody writes it by hand. When it is another than was expected,
 * that is a finding.
 *
 *   claim ──▶ measure(setting) ──▶ verdict(measured) ──▶ true, false, …, and why, in numbers
 *                      │
 *                      └─────────▶ figures(measured) ──▶ charts and tables of its page
 *
 * ```ts
 * export default lab({
 *   id: 'lab-fixed-boundary',
 *   claims: ['lab-fixed-boundary'],
 *   …
 *   measure: () => admittedAround(60_000_000),
 *   verdict: ({ fixed }) => ({ verdict: fixed === 20 ? 'true' : 'false', why: `${fixed} pass` }),
 *   figures: ({ fixed }) => [bars({ … })],
 * });
 * ```
 *
 * What a run leaves (`LabRecord`) is plain data, from which its page is made without running again.
 */
import { isSystem, type System } from '../../design/system.ts';
import { show } from '../../kit/config.ts';
import { type Problem, refuse } from '../../kit/errors.ts';
import type { Figure } from './figure.ts';

export const verdicts = ['true', 'false', 'conditional', 'partly', 'compare'] as const;

/** `compare`: the claim asks which is better for what, so that the answer is a table. */
export type LabVerdict = (typeof verdicts)[number];

/** How much a run may cost. */
export interface Setting {
  /** False in the project's own tests: less of everything, the same verdict. */
  readonly isFull: boolean;
  /** One run for each, where chance matters. */
  readonly seeds: readonly number[];
  /** The first when full, else the second. */
  pick<T>(full: T, small: T): T;
}

export interface Judgement {
  readonly verdict: LabVerdict;
  /** One sentence with the measured numbers in it. */
  readonly why: string;
}

export interface LabOptions<M> {
  /** Also the name of its file and page. */
  readonly id: string;
  /** Which claims it settles, by their ids. */
  readonly claims: readonly string[];
  readonly title: string;
  /** The claim as people make it. */
  readonly claim: string;
  readonly question: string;
  /** How it is measured: what is compared, what is held equal. */
  readonly method: string;
  /** What follows for who designs a system. */
  readonly advice: string;
  readonly expected: LabVerdict;
  /** Seeds of a full run and of a small one; without it chance plays no part, and both are the same. */
  readonly seeds?: { readonly full: number; readonly small: number };
  /** One of its variants, for `loadpath sim` and Studio. */
  readonly design?: System;
  readonly measure: (setting: Setting) => M | Promise<M>;
  readonly verdict: (measured: M) => Judgement;
  readonly figures: (measured: M) => readonly Figure[];
}

export interface Lab {
  readonly kind: 'lab';
  readonly id: string;
  readonly claims: readonly string[];
  readonly expected: LabVerdict;
  readonly design: System | undefined;
  /** Chance plays no part: every run is the same. */
  readonly isExact: boolean;
  run(isFull: boolean): Promise<LabRecord>;
}

/** What a run of a lab leaves: plain data, the same each time. */
export interface LabRecord {
  readonly id: string;
  readonly claims: readonly string[];
  readonly title: string;
  readonly claim: string;
  readonly question: string;
  readonly method: string;
  readonly advice: string;
  readonly expected: LabVerdict;
  readonly verdict: LabVerdict;
  readonly why: string;
  /** 0 when chance plays no part. */
  readonly seedCount: number;
  /** The design that it opens with, by name. */
  readonly design: string | null;
  readonly figures: readonly Figure[];
}

/** Throws `LoadpathError` ('bad-design') with everything that is wrong with it. */
export function lab<M>(options: LabOptions<M>): Lab {
  const problems: Problem[] = [];
  const { id, claims, expected, seeds, design } = options;
  if (!/^lab-[a-z0-9-]+$/.test(id)) {
    problems.push({ at: 'id', what: `must be like 'lab-fixed-boundary', got ${show(id)}` });
  }
  if (claims.length === 0) problems.push({ at: 'claims', what: 'must name a claim' });
  if (!verdicts.includes(expected)) {
    problems.push({
      at: 'expected',
      what: `must be ${verdicts.join(', ')}, got ${show(expected)}`,
    });
  }
  if (design !== undefined && !isSystem(design)) {
    problems.push({ at: 'design', what: `must be a system, got ${show(design)}` });
  }
  if (problems.length > 0) refuse('bad-design', id, problems);
  return {
    kind: 'lab',
    id,
    claims,
    expected,
    design,
    isExact: seeds === undefined,
    async run(isFull) {
      const seedCount = seeds === undefined ? 0 : isFull ? seeds.full : seeds.small;
      const measured = await options.measure({
        isFull,
        seeds: Array.from({ length: Math.max(1, seedCount) }, (_, index) => index + 1),
        pick: (full, small) => (isFull ? full : small),
      });
      const { title, claim, question, method, advice } = options;
      const { verdict, why } = options.verdict(measured);
      const figures = options.figures(measured);
      return {
        id,
        claims,
        title,
        claim,
        question,
        method,
        advice,
        expected,
        verdict,
        why,
        seedCount,
        design: design?.name ?? null,
        figures,
      };
    },
  };
}

export function isLab(exported: unknown): exported is Lab {
  return (exported as Partial<Lab> | null | undefined)?.kind === 'lab';
}
