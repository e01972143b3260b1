/** What a lab's page shows, as plain data: curves, bars, instants on a line, tables. */

export interface Axis {
  readonly label: string;
  /** Behind each number of a table, and in the label: `ms`, `/s`. */
  readonly unit?: string;
  /** Default linear. */
  readonly scale?: 'linear' | 'log';
  /** Where it begins and ends; else as the points ask, from 0 on where that is near. */
  readonly min?: number;
  readonly max?: number;
}

/** Curves over a quantity. */
export interface Lines {
  readonly kind: 'lines';
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly (readonly [x: number, y: number])[];
    /** Half the width of a 95 % interval, for each point. */
    readonly plusMinus?: readonly (number | null)[];
    /** Holds its value until the next point. */
    readonly isStepped?: boolean;
  }[];
  /** Dashed across, such as a limit. */
  readonly level?: { readonly at: number; readonly name: string };
  readonly note?: string;
}

/** A few things side by side. */
export interface Bars {
  readonly kind: 'bars';
  readonly title: string;
  readonly x: Axis;
  readonly groups: readonly string[];
  readonly series: readonly {
    readonly name: string;
    readonly values: readonly number[];
    readonly plusMinus?: readonly (number | null)[];
  }[];
  readonly level?: { readonly at: number; readonly name: string };
  readonly note?: string;
}

/** What happened when, on a line for each of a few. */
export interface Marks {
  readonly kind: 'marks';
  readonly title: string;
  readonly x: Axis;
  readonly rows: readonly {
    readonly name: string;
    readonly good: readonly number[];
    readonly bad: readonly number[];
  }[];
  readonly goodName: string;
  readonly badName: string;
  readonly note?: string;
}

export interface Table {
  readonly kind: 'table';
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
  readonly note?: string;
}

export type Chart = Lines | Bars | Marks;
export type Figure = Chart | Table;

export const lines = (figure: Omit<Lines, 'kind'>): Lines => ({ kind: 'lines', ...figure });
export const bars = (figure: Omit<Bars, 'kind'>): Bars => ({ kind: 'bars', ...figure });
export const marks = (figure: Omit<Marks, 'kind'>): Marks => ({ kind: 'marks', ...figure });
export const table = (figure: Omit<Table, 'kind'>): Table => ({ kind: 'table', ...figure });
