/**
 * A write-ahead log with group commit over `Disk`: an entry counts once its `done('ok')` came, and
 * from then on it survives any crash.
 *
 *   append a ──▶ batch 1 ──write, sync──▶ done
 *   append b ──▶ ┐ (a sync is in flight)
 *   append c ──▶ ┴ batch 2 ─────────────▶ write, sync ──▶ done, done
 *
 * The file is a header and then one frame a batch:
 *
 *   header  'LPJ1' · baseBytes · crc32c           everything below `baseBytes` came whole, by `replace`
 *   frame   length · crc32c · (length · entry)…   the checksum also covers the frame's own offset
 *
 * A batch is written only when the one before it is durable, so a crash can damage nothing but the
 * last frame. That is what tells a torn tail (cut off: nobody was told that it counts) from rot
 * (refused: somebody was). The one case that stays open is rot inside the very last batch, which
 * looks like a tear. Group commit after DeWitt et al. 1984, "Implementation Techniques for Main
 * Memory Database Systems".
 *
 * Use plain files through `Disk` instead where the newest content is all that matters: `replace`.
 */
import type { Disk, DiskOutcome, Value } from '../host/host.ts';
import { LoadpathError } from '../kit/errors.ts';
import { decode, ValueWriter } from './codec.ts';
import { crc32c, Stretches } from './crc32c.ts';

type Done = (outcome: DiskOutcome) => void;

const headerBytes = 16;
const magic = 0x314a504c; // 'LPJ1' read as a little-endian word.
const frameHeadBytes = 8;
const entryHeadBytes = 4;
/** A content given anew is cut into frames of about this size, so that damage in one is named closely. */
const frameBytesAim = 1 << 20;

/** A new content for the file, which is given entry by entry. */
export interface Replacement<T> {
  /** What it holds so far, about. */
  readonly sizeBytes: number;
  /** The entry is encoded at once. */
  add(entry: T): void;
  /** The file becomes what was added. When that fails the old one goes on. */
  finish(done: Done): void;
  /** Instead of `finish`: the old file goes on as if nothing had been begun. */
  abandon(): void;
}

export class Journal<T extends Value> {
  readonly #disk: Disk;
  readonly #name: string;
  #sizeBytes: number;
  #entryCount: number;
  #busy = false;
  /** Entries that share the next frame. */
  #pending = new Batch();
  /** The batch that took its turn before and will again. */
  #spare = new Batch();
  /** Under way; without `done` it is still being given. */
  #replacement: { readonly content: Content; done: Done | undefined } | undefined;
  /** Durable entries that `#replacement` does not stand for, because their `done` came after it. */
  #carried: Uint8Array[] = [];
  /**
   * What the file holds after a replacement that failed half way: shown, but a crash may bring
   * either content back, with everything appended to it. It is written once more before anything
   * else counts.
   */
  #unsure: Uint8Array | undefined;
  /** The durable batch whose `done`s are being called, and how many of them were. */
  #telling: Batch | undefined;
  #told = 0;
  #tellsLast = false;

  private constructor(disk: Disk, name: string, sizeBytes: number, entryCount: number) {
    this.#disk = disk;
    this.#name = name;
    this.#sizeBytes = sizeBytes;
    this.#entryCount = entryCount;
  }

  /**
   * Reads what is there, once a boot, and cuts off a torn tail. Throws `data-corrupt` when
   * something is damaged that had been acknowledged: starting without it would lose it silently.
   * `advice` ends the message: what may be done, and what must not, only who writes the file knows.
   */
  static open<T extends Value>(
    disk: Disk,
    name: string,
    advice = '',
  ): { readonly journal: Journal<T>; readonly entries: T[]; readonly tornBytes: number } {
    const bytes = disk.read(name) ?? new Uint8Array(0);
    const { entries, wholeBytes, baseBytes } = scan<T>(bytes);
    const isCut = wholeBytes < bytes.length;
    if (wholeBytes < baseBytes || (isCut && hasFrameAfter(bytes, wholeBytes))) {
      throw corrupt(name, wholeBytes, advice);
    }
    // A header alone is the first write, torn right behind it.
    const validBytes = isCut && entries.length === 0 ? 0 : wholeBytes;
    const tornBytes = bytes.length - validBytes;
    if (tornBytes > 0) disk.truncate(name, validBytes);
    const journal = new Journal<T>(disk, name, validBytes, entries.length);
    return { journal, entries, tornBytes };
  }

  /**
   * Reads a journal to which nobody appends any more, and leaves it as it is: all of it had been
   * acknowledged, so what looks like a torn tail is damage as well. The entries before it are whole.
   */
  static read<T extends Value>(
    disk: Disk,
    name: string,
    advice = '',
  ): { readonly entries: T[]; readonly damage: LoadpathError | undefined } {
    const bytes = disk.read(name) ?? new Uint8Array(0);
    const { entries, wholeBytes, baseBytes } = scan<T>(bytes);
    const isWhole = wholeBytes === bytes.length && wholeBytes >= baseBytes;
    return { entries, damage: isWhole ? undefined : corrupt(name, wholeBytes, advice) };
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Entries in the file: superseded ones count until the next `replaceWith`. */
  get entryCount(): number {
    return this.#entryCount;
  }

  /** Entries not yet durable and not yet under way: they share the next sync. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** True when nothing is under way, from the last `done` on: what a drain waits for. */
  get idle(): boolean {
    const underWay = this.#busy && !this.#tellsLast;
    return !underWay && this.#pending.size === 0 && this.#replacement?.done === undefined;
  }

  /**
   * `done` is called once, never before this returns:
   *
   *   ok      durable
   *   full    the disk took nothing: the entry is certainly not in the journal
   *   failed  the sync failed. The file was cut back, but the entry may be there after a crash
   *
   * The entry is encoded at once: changing it afterwards changes nothing.
   */
  append(entry: T, done: Done): void {
    this.#pending.add(entry, done);
    this.#next();
  }

  /**
   * Compaction: the file becomes `entries`, which stand for every entry whose `done('ok')` has
   * come. Those still under way are the journal's business: it carries them over. When it fails
   * the old file goes on. One at a time; asking again before `done` is a mistake.
   */
  replaceWith(entries: readonly T[], done: Done): void {
    const replacement = this.beginReplacement();
    for (const entry of entries) replacement.add(entry);
    replacement.finish(done);
  }

  /**
   * `replaceWith` in steps, where one turn would be too long. What is added stands for every entry
   * whose `done('ok')` came before this call. Those that become durable from here on are carried over
   * and stand behind all that is added, which may know of them already. `aboutBytes` is how much that
   * will be: with a good guess no bytes are moved to where there is more room.
   */
  beginReplacement(aboutBytes = 1_024): Replacement<T> {
    if (this.#replacement) throw new Error(`journal ${this.#name}: already being replaced`);
    const content = new Content(aboutBytes);
    const replacement: { readonly content: Content; done: Done | undefined } = {
      content,
      done: undefined,
    };
    this.#replacement = replacement;
    this.#carried = this.#telling?.entriesFrom(this.#told) ?? [];
    return {
      get sizeBytes() {
        return content.sizeBytes;
      },
      add: (entry) => content.add(entry),
      finish: (done) => {
        replacement.done = done;
        this.#next();
      },
      abandon: () => {
        this.#replacement = undefined;
        this.#carried = [];
      },
    };
  }

  #next(): void {
    if (this.#busy) return;
    if (this.#replacement?.done) this.#replace(this.#replacement.content, this.#replacement.done);
    else if (this.#pending.size === 0) return;
    else if (this.#unsure) this.#rewrite(this.#unsure);
    else this.#write();
  }

  #write(): void {
    this.#busy = true;
    const batch = this.#take();
    const before = this.#sizeBytes;
    const bytes = batch.frame(before);
    // A refused append still goes through `sync`, so that `done` never comes before `append` returned
    // and a full disk is not asked faster than it answers.
    const refused = !this.#disk.append(this.#name, bytes);
    if (!refused) this.#sizeBytes += bytes.length;
    this.#disk.sync(this.#name, (synced) => {
      const outcome = refused ? 'full' : synced === 'ok' ? 'ok' : 'failed';
      if (outcome === 'ok') {
        this.#entryCount += batch.size;
        if (this.#replacement) this.#carried.push(...batch.entriesFrom(0));
        else this.#telling = batch;
      } else if (outcome === 'failed') {
        this.#disk.truncate(this.#name, before);
        this.#sizeBytes = before;
      }
      this.#tell(batch, outcome);
      this.#busy = false;
      this.#next();
    });
  }

  /** The batch that is written now. Nobody else is under way, so the other one is free. */
  #take(): Batch {
    const batch = this.#pending;
    this.#pending = this.#spare;
    this.#spare = batch;
    return batch;
  }

  #tell(batch: Batch, outcome: DiskOutcome): void {
    for (this.#told = 0; this.#told < batch.size; ) {
      const done = batch.dones[this.#told++]!;
      // Counted before the call: its entry is told once `done` begins.
      this.#tellsLast = this.#told === batch.size;
      done(outcome);
    }
    this.#tellsLast = false;
    this.#telling = undefined;
    batch.clear();
  }

  #replace(content: Content, done: Done): void {
    this.#busy = true;
    for (const entry of this.#carried) content.addEncoded(entry);
    this.#carried = [];
    const bytes = content.end();
    this.#disk.replace(this.#name, bytes, (outcome) => {
      if (outcome === 'ok') {
        this.#sizeBytes = bytes.length;
        this.#entryCount = content.entryCount;
        this.#unsure = undefined;
      } else {
        // The old content or the new one: they mean the same, but their lengths differ. Without
        // room for the new one the old one stands, as its length shows, and goes on.
        const shown = this.#disk.read(this.#name) ?? new Uint8Array(0);
        if (outcome === 'failed' || shown.length !== this.#sizeBytes) this.#unsure = shown;
        this.#sizeBytes = shown.length;
      }
      this.#replacement = undefined;
      this.#busy = false;
      done(outcome);
      this.#next();
    });
  }

  #rewrite(content: Uint8Array): void {
    this.#busy = true;
    this.#disk.replace(this.#name, content, (outcome) => {
      if (outcome === 'ok') this.#unsure = undefined;
      // Nothing of it was written, so it is certainly not there, whatever the disk said.
      else this.#tell(this.#take(), 'full');
      this.#busy = false;
      this.#next();
    });
  }
}

/** Beyond it the memory of a batch is given back once it was written. */
const batchBytesKept = 1 << 16;

/**
 * Entries in the bytes of their frame, which is written in place: a list of small arrays to be put
 * together later costs more than the entries themselves.
 */
class Batch {
  /** Room for the file's header and the head of the frame, then the entries. */
  #writer = new ValueWriter(1_024);
  readonly #starts: number[] = [];
  readonly dones: Done[] = [];

  constructor() {
    this.clear();
  }

  get size(): number {
    return this.dones.length;
  }

  add(entry: Value, done: Done): void {
    const writer = this.#writer;
    const start = writer.length;
    writer.u32(0);
    writer.value(entry);
    putU32(writer.bytes, start, writer.length - start - entryHeadBytes);
    this.#starts.push(start);
    this.dones.push(done);
  }

  /** The bytes to append to a file of `sizeBytes`. Good until `clear`. */
  frame(sizeBytes: number): Uint8Array {
    const { bytes, length } = this.#writer;
    endFrame(bytes, headerBytes, length, sizeBytes === 0 ? headerBytes : sizeBytes);
    if (sizeBytes > 0) return bytes.subarray(headerBytes, length);
    bytes.set(header(0));
    return bytes.subarray(0, length);
  }

  /** Copies. */
  entriesFrom(index: number): Uint8Array[] {
    const { bytes, length } = this.#writer;
    const starts = this.#starts;
    return starts
      .slice(index)
      .map((start, i) => bytes.slice(start + entryHeadBytes, starts[index + i + 1] ?? length));
  }

  clear(): void {
    if (this.#writer.bytes.length > batchBytesKept) this.#writer = new ValueWriter(1_024);
    this.#writer.length = headerBytes + frameHeadBytes;
    // Taken off one by one: setting a length is a call into the engine, dearer than the few there are.
    while (this.dones.length > 0) {
      this.dones.pop();
      this.#starts.pop();
    }
  }
}

/** The bytes of a whole file, written in their place: at the end nothing of it is touched again. */
class Content {
  readonly #writer: ValueWriter;
  #frameAt = headerBytes;
  entryCount = 0;

  constructor(aboutBytes: number) {
    this.#writer = new ValueWriter(aboutBytes);
    this.#writer.length = headerBytes + frameHeadBytes;
  }

  get sizeBytes(): number {
    return this.#writer.length;
  }

  add(entry: Value): void {
    const writer = this.#writer;
    const start = writer.length;
    writer.u32(0);
    writer.value(entry);
    putU32(writer.bytes, start, writer.length - start - entryHeadBytes);
    this.#added();
  }

  addEncoded(entry: Uint8Array): void {
    const writer = this.#writer;
    writer.reserve(entryHeadBytes + entry.length);
    putU32(writer.bytes, writer.length, entry.length);
    writer.bytes.set(entry, writer.length + entryHeadBytes);
    writer.length += entryHeadBytes + entry.length;
    this.#added();
  }

  end(): Uint8Array {
    if (this.#writer.length > this.#frameAt + frameHeadBytes) this.#endFrame();
    const { bytes } = this.#writer;
    bytes.set(header(this.#frameAt));
    return bytes.subarray(0, this.#frameAt);
  }

  #added(): void {
    this.entryCount++;
    if (this.#writer.length - this.#frameAt >= frameBytesAim) this.#endFrame();
  }

  #endFrame(): void {
    const writer = this.#writer;
    endFrame(writer.bytes, this.#frameAt, writer.length, this.#frameAt);
    this.#frameAt = writer.length;
    writer.reserve(frameHeadBytes);
    writer.length += frameHeadBytes;
  }
}

function header(baseBytes: number): Uint8Array {
  const bytes = new Uint8Array(headerBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magic, true);
  view.setFloat64(4, baseBytes, true);
  view.setUint32(12, crc32c(bytes, 0, 0, 12), true);
  return bytes;
}

/**
 * Writes the head of the frame `bytes[start, end)`, whose entries are there. `offset` is where it will
 * stand in the file: a frame found anywhere else is not one.
 */
function endFrame(bytes: Uint8Array, start: number, end: number, offset: number): void {
  const length = end - start - frameHeadBytes;
  putU32(bytes, start, length);
  putU32(bytes, start + 4, checksum(bytes, start, length, offset));
}

/** Low byte first. By hand, since a frame is written for every sync and a view costs as much as its bytes. */
function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

const place = new Uint8Array(8);
const placeView = new DataView(place.buffer);

/** Of the frame at `bytes[start]` that stands at `offset` of its file: offset, length, entries. */
function checksum(bytes: Uint8Array, start: number, length: number, offset: number): number {
  const head = headChecksum(bytes, start, offset);
  return crc32c(bytes, head, start + frameHeadBytes, start + frameHeadBytes + length);
}

function headChecksum(bytes: Uint8Array, start: number, offset: number): number {
  placeView.setFloat64(0, offset, true);
  return crc32c(bytes, crc32c(place), start, start + 4);
}

interface Scanned<T> {
  readonly entries: T[];
  /** Where the first frame begins that is not whole: the end of the file if all are. */
  readonly wholeBytes: number;
  readonly baseBytes: number;
}

function scan<T extends Value>(bytes: Uint8Array): Scanned<T> {
  const entries: T[] = [];
  const view = viewOf(bytes);
  const isHeaded =
    bytes.length >= headerBytes &&
    view.getUint32(0, true) === magic &&
    view.getUint32(12, true) === crc32c(bytes, 0, 0, 12);
  // The first write of all may be torn.
  if (!isHeaded) return { entries, wholeBytes: 0, baseBytes: 0 };
  const baseBytes = view.getFloat64(4, true);
  let at = headerBytes;
  while (at < bytes.length) {
    const length = frameLength(view, bytes, at);
    if (length === undefined) break;
    const end = at + frameHeadBytes + length;
    for (let entry = at + frameHeadBytes; entry < end; ) {
      const size = view.getUint32(entry, true);
      entries.push(
        decode(bytes.subarray(entry + entryHeadBytes, entry + entryHeadBytes + size)) as T,
      );
      entry += entryHeadBytes + size;
    }
    at = end;
  }
  return { entries, wholeBytes: at, baseBytes };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The length of the whole, undamaged frame at `at`, or undefined. */
function frameLength(view: DataView, bytes: Uint8Array, at: number): number | undefined {
  const length = claimedLength(view, at);
  if (length === undefined) return undefined;
  return view.getUint32(at + 4, true) === checksum(bytes, at, length, at) ? length : undefined;
}

/** What a frame at `at` would be long, if there is room for it. */
function claimedLength(view: DataView, at: number): number | undefined {
  if (at + frameHeadBytes > view.byteLength) return undefined;
  const length = view.getUint32(at, true);
  return length < entryHeadBytes || at + frameHeadBytes + length > view.byteLength
    ? undefined
    : length;
}

/**
 * Whether a whole frame stands at or behind `from`: proof that what lies before it had been synced.
 * Each byte may begin one, and what lies there may claim any length, so their checksums are taken
 * as stretches of one walk: one by one they would cost the square of the tail, hours for megabytes.
 */
function hasFrameAfter(bytes: Uint8Array, from: number): boolean {
  const view = viewOf(bytes);
  const stretches = new Stretches(bytes, from);
  for (let at = from; at + frameHeadBytes < bytes.length; at++) {
    const length = claimedLength(view, at);
    if (length === undefined) continue;
    const start = at + frameHeadBytes;
    const sum = stretches.crc32c(headChecksum(bytes, at, at), start, start + length);
    if (view.getUint32(at + 4, true) === sum) return true;
  }
  return false;
}

function corrupt(name: string, offset: number, advice: string): LoadpathError {
  const text = `${name} is damaged at byte ${offset}, before entries that were acknowledged.`;
  return new LoadpathError('data-corrupt', `${text} ${advice}`.trimEnd());
}
