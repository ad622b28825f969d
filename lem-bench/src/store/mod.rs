//! Results on disk: where they go, run folders, the append-only journal of each process, baselines, the history, and
//! the lock that allows one measurement at a time.
//!
//! # Files
//!
//! ```text
//! <home>/latest                                 the newest run's id, one line of text
//! <home>/latest-by-target/energy-0a1b2c3d4e5f    the same for each bench target: the id, `package/target`, and an id of
//!                                               the `cargo bench`
//! <home>/workspace/index.html                    the joint report of all bench targets of one `cargo bench`
//! <home>/history.jsonl                          one line for each bench of each run
//! <home>/baselines/main-0a1b2c3d4e5f/           results saved under a name
//! <home>/session-spread.json                    the session spread of each machine
//! <home>/ranks/                                 where the processes of a launcher agree on a run
//! <home>/runs/2026-11-23T14-05-33Z-a1b2/        a run
//!     journal-0.jsonl      samples-0.bin        the measurements of process 0; one pair of files per process
//!     ranks-4/                                  the barrier of the ranks, while they measure
//!     journal-0-4711.jsonl samples-0-4711.bin   the same under nextest, which starts a process for each bench
//! ```
//!
//! # The journal, `journal-*.jsonl`
//!
//! One JSON object per line. Each is a [`Record`](crate::model::Record), whose kind is in the field `"record"`. The
//! first is the run header, whose `schema_version` applies to both files of the pair. Lines are appended and never
//! changed. When [`Observer::on`](crate::runner::Observer::on) returns, the record is on disk.
//!
//! - The last field of each line, `"crc32"`, is the CRC-32 (as in zlib and gzip, eight hexadecimal digits) of all bytes
//!   of the line before the comma in front of that field.
//! - The request times of a cycle are not in the line but in the samples file. `"columns"` gives their positions: each
//!   of `latency_ns`, `ttft_ns`, `itl_ns`, `itl_count`, `tpot_ns`, `phase_name` (an index of `"phase_names"`),
//!   `phase_gap_ns` (its start minus the end of the phase before, or its start for the first, as a zigzag number) and
//!   `phase_length_ns` has the `offset` of its first byte, the `count` of its values, their `dtype` and the `crc32` of its
//!   bytes. Empty columns are left out. A `dtype` is `<u4`, `<u8` (little-endian) or, where that takes at most three
//!   quarters of the bytes, `delta`: each value is the one before plus a zigzag number in LEB128, and `bytes` is the
//!   column's length.
//! - Of a bench whose request times and phases exceed the budget (`--sample-budget`), one request of `"thinned"`.`every` is
//!   kept, drawn at random from so many in a row, and phases of each name in the same way. `"thinned"` has exact sums over
//!   all.
//! - Traces are in the samples file too, at `"trace_bytes"` of a cycle or warm-up. Of each trace, there are the length of
//!   its domain's name (LEB128), the name, and four series: power in W, temperature in °C, utilisation, memory in bytes.
//!   A series is the number of its points (LEB128) and, if there are any, its lowest and highest value (`<f8`), then of
//!   each point two zigzag numbers in LEB128: how much longer the interval since the point before is than the interval
//!   before that, in µs (the first point's interval begins at 0), and the difference of its code to that of the point
//!   before (the first: to 0). The code 1 is the lowest value, 4095 the highest, 0 is not a number. Of whole numbers, the
//!   highest value is the lowest plus 4094, if that is above all of them.
//! - A truncated last line was never reported as written: its writer was killed. A journal whose last record is not
//!   `run_end` was interrupted. A process that resumes it appends `resume`, then the rest: a bench that has cycles
//!   continues with its next cycle after a new warm-up, any other bench starts over.
//!
//! # The samples, `samples-*.bin`
//!
//! A header of sixteen bytes (`LEMSMPL` and a line feed, then the schema version and a zero as `<u4`), then the columns.
//! The offset of each column is a multiple of eight. Columns are written before the line that refers to them, so a
//! killed writer can leave columns that no line refers to.
//!
//! # From Python
//!
//! ```python
//! import json, numpy
//!
//! def read(column, samples):
//!     start, kind, count = column["offset"], column["dtype"], column["count"]
//!     if kind != "delta":
//!         return numpy.frombuffer(samples, dtype=kind, count=count, offset=start)
//!     values, value, difference, shift = [], 0, 0, 0
//!     for byte in samples[start : start + column["bytes"]]:
//!         difference |= (byte & 127) << shift
//!         shift += 7
//!         if byte < 128:
//!             value += (difference >> 1) ^ -(difference & 1)
//!             values.append(value % 2**64)
//!             difference = shift = 0
//!     return numpy.array(values, dtype="<u8")
//!
//! samples = open("samples-0.bin", "rb").read()
//! cycles = [r for r in map(json.loads, open("journal-0.jsonl", "rb")) if r["record"] == "cycle"]
//! itl_ns = read(cycles[0]["columns"]["itl_ns"], samples)
//! ```

mod baselines;
mod checksum;
mod columns;
mod error;
mod history;
mod home;
mod journal_reader;
mod journal_writer;
mod lock;
mod naming;
mod run_dir;
mod sample_budget;
mod samples;
mod stored_runs;
mod trace_codec;

pub use baselines::{Baseline, BaselineRun};
pub use error::StoreError;
pub use history::{History, MachineSpread, MachineSpreads};
pub(crate) use home::workspace_root;
pub use home::{Home, HomeOptions};
pub use journal_reader::{Journal, read_journal, read_run};
pub use journal_writer::JournalWriter;
pub use lock::{MachineLock, WaitPolicy};
pub use naming::{JournalName, RunId, slug};
#[cfg(feature = "html")]
pub use run_dir::write_replaceable;
pub use run_dir::{LatestRun, RunDir, copy_journals, write_atomic};
pub use sample_budget::DEFAULT_SAMPLE_MIB;
pub use stored_runs::{StoredRun, StoredRuns};
