/**
 * The design that lies on the desk: read again whenever one of its files is saved, and shown with
 * what is wrong with it. While something is wrong, what could last be run stays in view.
 */
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { FaultNames } from '../design/faults.ts';
import { LoadpathError } from '../kit/errors.ts';
import { findDesign } from '../run/node/bundle.ts';
import { shownPath } from '../run/node/places.ts';
import { onSaved } from '../run/node/saved.ts';
import { problemViews } from './problems.ts';
import type { DesignView, JsonDesign } from './protocol.ts';
import { Workshop } from './workshop.ts';

/** Nothing on the board yet. */
const emptyDesign: JsonDesign = { name: 'design', blocks: [], entry: '' };

export class Desk {
  /** The design's file, absolute; it may not be there yet. */
  readonly path: string;
  readonly #onChange: (view: DesignView) => void;
  /** Stands in for a file that was not saved yet, so that what is on the board can be run. */
  #stand: string | undefined;
  #workshop: Workshop;
  #sources: readonly string[] = [];
  #names: FaultNames = { nodes: [], blocks: [], zones: [], regions: [] };
  #view: DesignView;
  #reading: Promise<DesignView>;
  #unwatch = (): void => {};
  #closed = false;

  /** Reads the design, and again on every save. `designPath`: a design, or a `.json` file that is to become one. */
  constructor(designPath: string, onChange: (view: DesignView) => void) {
    const isNew = designPath.endsWith('.json') && !existsSync(designPath);
    this.path = isNew ? resolve(designPath) : findDesign(designPath);
    this.#onChange = onChange;
    if (isNew) this.#stand = standIn();
    this.#workshop = new Workshop(this.#stand ?? this.path);
    this.#view = {
      revision: 0,
      path: shownPath(this.path),
      kind: this.path.endsWith('.json') ? 'data' : 'code',
      problems: [],
      structure: null,
      options: {},
      objectives: {},
      invariants: [],
      faults: [],
      sources: [shownPath(this.path)],
      data: null,
    };
    this.#sources = [this.path];
    this.#reading = this.#readNow();
  }

  get view(): DesignView {
    return this.#view;
  }

  /** What a fault may name, in the file or on the board. */
  async names(data: JsonDesign | undefined): Promise<FaultNames> {
    await this.#reading;
    return data === undefined ? this.#names : (await this.#workshop.look({ data })).names;
  }

  get workshop(): Workshop {
    return this.#workshop;
  }

  /** Resolves when the design has been read as it was last saved. */
  current(): Promise<DesignView> {
    return this.#reading;
  }

  /** A design of data as it stands on the drawing board: what is wrong with it, without saving. */
  async check(data: JsonDesign): Promise<DesignView> {
    await this.#reading;
    return { ...this.#view, ...(await this.#look(data)), data };
  }

  async save(data: JsonDesign): Promise<DesignView> {
    if (this.#view.kind === 'code') {
      throw new LoadpathError(
        'bad-option',
        `${this.#view.path} is code: change it in your editor. Only a design of data can be saved from here.`,
      );
    }
    const draft = `${this.path}.saving`;
    writeFileSync(draft, `${JSON.stringify(data, null, 2)}\n`);
    renameSync(draft, this.path);
    return this.#read();
  }

  /** The design's own, absolute, the design first. */
  get files(): readonly string[] {
    return this.#sources;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch();
    await this.#workshop.close();
    this.#forgetStandIn();
  }

  /** One reading after the other: the last save wins. */
  #read(): Promise<DesignView> {
    this.#reading = this.#reading.catch(() => {}).then(() => this.#readNow());
    return this.#reading;
  }

  async #readNow(): Promise<DesignView> {
    if (this.#closed) return this.#view;
    if (existsSync(this.path)) this.#forgetStandIn();
    if (this.#view.revision > 0) {
      // Runs that go on keep the workshop in which they began.
      this.#workshop.retire();
      this.#workshop = new Workshop(this.#stand ?? this.path);
    }
    const data = this.#view.kind === 'data' ? this.#dataInFile() : null;
    const found = await this.#look(this.#stand === undefined ? undefined : emptyDesign);
    this.#view = { ...this.#view, ...found, data, revision: this.#view.revision + 1 };
    if (this.#closed) return this.#view;
    this.#unwatch();
    this.#unwatch = onSaved([...new Set([...this.#sources, this.path])], () => void this.#read());
    this.#onChange(this.#view);
    return this.#view;
  }

  async #look(data: JsonDesign | undefined): Promise<Partial<DesignView>> {
    try {
      const { files, names, structure, options, objectives, invariants, faults } =
        await this.#workshop.look({ data });
      if (data === undefined) {
        this.#sources = designFirst(this.path, files);
        this.#names = names;
      }
      return {
        problems: [],
        structure,
        options,
        objectives,
        invariants,
        faults,
        // One that is only to be noticed when it appears has nothing to show yet.
        sources: this.#sources.filter((file) => existsSync(file)).map(shownPath),
      };
    } catch (failure) {
      return { problems: this.#problemsOf(failure) };
    }
  }

  #problemsOf(failure: unknown): DesignView['problems'] {
    if (failure instanceof LoadpathError) return problemViews(failure, this.#sources);
    // What a design throws in passing is told as it is.
    const what = failure instanceof Error ? failure.message : String(failure);
    return [{ at: this.#view.path, what }];
  }

  #dataInFile(): JsonDesign {
    if (!existsSync(this.path)) return emptyDesign;
    try {
      return JSON.parse(readFileSync(this.path, 'utf8')) as JsonDesign;
    } catch {
      // Told, with its line, by the reading that follows; the board keeps what it shows.
      return this.#view.data ?? emptyDesign;
    }
  }

  #forgetStandIn(): void {
    if (this.#stand !== undefined) rmSync(dirname(this.#stand), { recursive: true, force: true });
    this.#stand = undefined;
  }
}

function designFirst(path: string, files: readonly string[]): readonly string[] {
  return [path, ...files.filter((file) => file !== path)];
}

function standIn(): string {
  const file = join(mkdtempSync(join(tmpdir(), 'loadpath-board-')), basename('design.json'));
  writeFileSync(file, JSON.stringify(emptyDesign));
  return file;
}
