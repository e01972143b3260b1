/**
 * Writes a replica's log anew once most of it is history, so that it stays a constant share of what
 * there is.
 *
 *   log ▓▓▓░▓░░░▓░░░  ──▶  slice · pause · slice · pause · … ──▶  replace  ▓▓▓▓▓
 *
 * In slices, since a table of a million keys takes seconds to write, and nobody would be answered
 * meanwhile: what is stored between them is in the table or carried over by the journal, or both,
 * which does no harm. And not all nodes at the same size: owners of the same keys have logs that
 * grow alike, and a majority of them must not be slow at once.
 */
import { assert } from '../../../kit/assert.ts';
import type { Journal, Replacement } from '../../../parts/journal.ts';
import { type Logged, type LogRecord, pack } from './log.ts';
import type { Replica } from './node.ts';
import { gainShare, type Room } from './room.ts';

/** A slice takes a millisecond or two at the most, unless one value alone takes more. */
const sliceRecordsMax = 256;
const sliceBytesMax = 1 << 18;
/** As long as a slice: half of the node's time is left to those who ask. */
const pauseUs = 2_000;
/** After a failure: a disk that is full or broken is not hammered. */
const retryUs = 10_000_000;
/** Measured: encoding and checksum take a fifth of what a message does for a record, half of it for a kilobyte. */
const recordShare = 0.2;
const byteShare = 0.0005;

export interface Compaction {
  /** Begins if it is time. */
  consider(): void;
  /** The node is about to stop: what is half written is of no use. */
  abandon(): void;
}

export function compaction(
  { host, config, table }: Replica,
  journal: Journal<Logged>,
  room: Room,
  first: Logged,
  ended: () => void,
): Compaction {
  const index = config.members.findIndex(({ id }) => id === host.self);
  assert(index >= 0, 'a replica is a member');
  const spread = 1 + index / (3 * config.members.length);
  let baseBytes = Math.min(journal.sizeBytes, table.bytes);
  /** What a new log takes of what the table expects: its records are a little shorter. */
  let sizeShare = 1;
  let retryAt = 0;
  let underWay: Replacement<Logged> | undefined;

  function isDue(): boolean {
    const { sizeBytes } = journal;
    if (sizeBytes >= spread * Math.max(config.snapshotBytes, 2 * baseBytes)) return true;
    // Where the disk fills, sooner than it pays otherwise, while there is room for it.
    const liveBytes = sizeShare * table.bytes;
    return sizeBytes >= liveBytes * (1 + gainShare) && room.isTight && room.isEnough;
  }

  function consider(): void {
    if (underWay || !isDue() || host.now() < retryAt) return;
    // An eighth more than there is, for what comes meanwhile.
    underWay = journal.beginReplacement(Math.ceil(table.bytes * 1.125) + 1_024);
    underWay.add(first);
    goOn(underWay, table.records());
  }

  function goOn(replacement: Replacement<Logged>, records: Iterator<LogRecord>): void {
    // Abandoned.
    if (underWay !== replacement) return;
    const before = replacement.sizeBytes;
    let count = 0;
    let isOver = false;
    while (count < sliceRecordsMax && replacement.sizeBytes - before < sliceBytesMax) {
      const next = records.next();
      if (next.done) {
        isOver = true;
        break;
      }
      replacement.add(pack(next.value));
      count++;
    }
    const bytes = replacement.sizeBytes - before;
    const costUs = Math.ceil(config.costUs * (count * recordShare + bytes * byteShare));
    host.cpu.charge(costUs, () => {
      if (isOver) finish(replacement);
      else host.after(pauseUs, () => goOn(replacement, records));
    });
  }

  function finish(replacement: Replacement<Logged>): void {
    if (underWay !== replacement) return;
    replacement.finish((outcome) => {
      underWay = undefined;
      if (outcome === 'ok') {
        baseBytes = journal.sizeBytes;
        sizeShare = Math.min(1, baseBytes / Math.max(1, table.bytes));
      } else {
        retryAt = host.now() + retryUs;
        host.meter.note(`could not compact the log: disk ${outcome}`);
      }
      ended();
    });
  }

  return {
    consider,
    abandon() {
      // One that is being written already ends by itself, and the journal is not idle until then.
      if (!underWay || !journal.idle) return;
      underWay.abandon();
      underWay = undefined;
    },
  };
}
