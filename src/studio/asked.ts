/** What the page asks for, checked: it comes over the network. All mistakes at once. */
import { type Problem, refuse } from '../kit/errors.ts';
import type { Setting, SettingTable } from '../kit/settings.ts';
import type { MessageQuery } from '../run/traced.ts';
import type { HuntRequest, JsonDesign, RunRequest, SweepRequest } from './protocol.ts';

const maxWhole = Number.MAX_SAFE_INTEGER;
/** More than anybody reads, and what a page can draw. */
const messagesMax = 5_000;
const faultsMax = 1_000;
const seedsMax = 1_000;
const huntSeedsMax = 1_000_000;
const secondsMax = 86_400;

type Fields = Readonly<Record<string, unknown>>;

export function runRequestOf(body: unknown): RunRequest {
  return checked('the run', (form) => runIn(form, fieldsOf(body)));
}

export function huntRequestOf(body: unknown): HuntRequest {
  return checked('the hunt', (form) => {
    const given = fieldsOf(body);
    return {
      seedFirst: form.whole(given, 'seedFirst', 0, maxWhole) ?? 1,
      seedCount: form.whole(given, 'seedCount', 1, huntSeedsMax) ?? 1,
      forUs: form.optional(given, 'forUs', () => forUsIn(form, given)),
      ratePerSec: form.optional(given, 'ratePerSec', () => form.positive(given, 'ratePerSec')),
    };
  });
}

export function sweepRequestOf(body: unknown): SweepRequest {
  return checked('the sweep', (form) => {
    const given = fieldsOf(body);
    return {
      over: form.text(given, 'over'),
      values: form.text(given, 'values'),
      seeds: form.whole(given, 'seeds', 1, seedsMax) ?? 1,
      run: runIn(form, fieldsOf(given.run)),
    };
  });
}

export function faultsOf(body: unknown): {
  readonly faults: readonly string[];
  readonly data: JsonDesign | undefined;
} {
  return checked('the faults', (form) => {
    const given = fieldsOf(body);
    return { faults: form.sentences(given, 'faults'), data: dataIn(form, given) };
  });
}

export function faultOf(body: unknown): string {
  return checked('the fault', (form) => form.text(fieldsOf(body), 'fault'));
}

export function designDataOf(body: unknown): JsonDesign {
  return checked('the design', (form) => {
    if (!isFields(body)) form.problem('design', 'must be an object');
    return fieldsOf(body);
  });
}

export function wholeOf(text: string | undefined): number {
  return checked(
    'the request',
    (form) => form.whole({ index: numberIn(text) }, 'index', 0, maxWhole) ?? 0,
  );
}

export function messageQueryOf(query: URLSearchParams): MessageQuery {
  return checked('the window', (form) => {
    const given = { fromUs: numberIn(query.get('fromUs')), toUs: numberIn(query.get('toUs')) };
    const list = (name: string) =>
      query
        .get(name)
        ?.split(',')
        .filter((one) => one !== '');
    return {
      fromUs: form.whole(given, 'fromUs', 0, maxWhole) ?? 0,
      toUs: form.whole(given, 'toUs', 0, maxWhole) ?? 0,
      nodes: list('nodes'),
      blocks: list('blocks'),
      maxCount: messagesMax,
    };
  });
}

function numberIn(text: string | null | undefined): number {
  return text === null || text === undefined || text === '' ? Number.NaN : Number(text);
}

function runIn(form: Form, given: Fields): RunRequest {
  return {
    seed: form.whole(given, 'seed', 0, maxWhole) ?? 1,
    forUs: form.optional(given, 'forUs', () => forUsIn(form, given)),
    ratePerSec: form.optional(given, 'ratePerSec', () => form.positive(given, 'ratePerSec')),
    faults: form.sentences(given, 'faults'),
    ownFaults: given.ownFaults !== false,
    set: form.settings(given, 'set'),
    probe: form.optional(given, 'probe', () => given.probe === true),
    seeds: form.optional(given, 'seeds', () => form.whole(given, 'seeds', 1, seedsMax)),
    data: dataIn(form, given),
  };
}

/** What is on the drawing board. */
function dataIn(form: Form, given: Fields): JsonDesign | undefined {
  return form.optional(given, 'data', () => {
    if (!isFields(given.data)) form.problem('data', 'must be an object');
    return fieldsOf(given.data);
  });
}

function forUsIn(form: Form, given: Fields): number | undefined {
  return form.whole(given, 'forUs', 1_000, secondsMax * 1_000_000);
}

function checked<T>(subject: string, read: (form: Form) => T): T {
  const form = new Form();
  const value = read(form);
  if (form.problems.length > 0) refuse('bad-option', subject, form.problems);
  return value;
}

class Form {
  readonly problems: Problem[] = [];

  problem(at: string, what: string): void {
    this.problems.push({ at, what });
  }

  optional<T>(given: Fields, name: string, read: () => T): T | undefined {
    return given[name] === undefined || given[name] === null ? undefined : read();
  }

  whole(given: Fields, name: string, min: number, max: number): number | undefined {
    const value = given[name];
    if (Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max) {
      return Number(value);
    }
    this.problem(name, `must be a whole number from ${min} to ${max}`);
    return undefined;
  }

  positive(given: Fields, name: string): number | undefined {
    const value = given[name];
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
    this.problem(name, 'must be a number above 0');
    return undefined;
  }

  text(given: Fields, name: string): string {
    const value = given[name];
    if (typeof value === 'string' && value.trim() !== '' && value.length <= 1_000) return value;
    this.problem(name, 'must be text of at most 1000 characters');
    return '';
  }

  sentences(given: Fields, name: string): readonly string[] {
    const value = given[name] ?? [];
    const fits =
      Array.isArray(value) &&
      value.length <= faultsMax &&
      value.every((one) => typeof one === 'string' && one.length <= 1_000);
    if (fits) return value as string[];
    this.problem(name, `must be a list of at most ${faultsMax} sentences`);
    return [];
  }

  settings(given: Fields, name: string): SettingTable {
    const value = given[name] ?? {};
    const fits = isFields(value) && Object.values(value).every(isSetting);
    if (fits) return value as SettingTable;
    this.problem(name, "must be an object such as { 'links.replicas': 5 }");
    return {};
  }
}

function isSetting(value: unknown): value is Setting {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}
