//! What is kept on disk: where results go, run folders, the append-only journal of each process and how it is read
//! back, files that are either old or new but never half, and the lock that keeps two measurements apart.
//!
//! Must not know statistics, analysis or reports.
//!
//! # A run's folder
//!
//! ```text
//! <home>/latest                                 the newest run's id, one line of text
//! <home>/history.jsonl                          one line for each bench of each run
//! <home>/baselines/main-0a1b2c3d4e5f/           results that are kept under a name
//! <home>/calibration.json                       the spread between sessions of each machine
//! <home>/ranks/                                 where the processes of a launcher agree on a run
//! <home>/runs/2026-11-23T14-05-33Z-a1b2/        a run
//!     journal-0.jsonl      samples-0.bin        what process 0 measured; one pair of files a process
//!     ranks-4/                                  where they meet, as long as they measure
//!     journal-0-4711.jsonl samples-0-4711.bin   the same under nextest, which starts a process for each bench
//! ```
//!
//! # The journal, `journal-*.jsonl`
//!
//! One record a line, each a JSON object: a [`Record`](crate::model::Record) whose kind is in `"record"`. The first
//! is the head, with the `schema_version` of everything in the pair of files. Lines are appended and never changed.
//! When [`Observer::on`](crate::runner::Observer::on) returns, the record is on the disk.
//!
//! - The last field of each line, `"crc32"`, is the CRC-32 (that of zlib and gzip, eight hexadecimal digits) of all
//!   bytes of the line before the comma in front of that field.
//! - A cycle's times of requests are not in the line but in the samples file. `"columns"` says where: each of
//!   `latency_ns`, `ttft_ns`, `itl_ns` and `itl_count` has the `offset` of its first byte, the `count` of its values,
//!   their `dtype` (`<u4` or `<u8`, little-endian) and the `crc32` of its bytes.
//! - A last line that is cut off was never reported as kept: its writer was killed. A journal whose last record is not
//!   `run_end` was interrupted. A process that goes on with it writes `resume`, then the rest: a bench with cycles goes
//!   on with the next cycle after a new warm-up, any other begins again.
//!
//! # The samples, `samples-*.bin`
//!
//! Sixteen bytes of head (`LEMSMPL` and a line feed, then the schema version and a zero as `<u4`), then the columns,
//! each at an offset that eight divides. Columns are written before the line that names them.
//!
//! # From Python
//!
//! ```python
//! import json, numpy
//! cycles = [r for r in map(json.loads, open("journal-0.jsonl", "rb")) if r["record"] == "cycle"]
//! c = cycles[0]["columns"]["itl_ns"]
//! itl_ns = numpy.frombuffer(open("samples-0.bin", "rb").read(), dtype=c["dtype"], count=c["count"], offset=c["offset"])
//! ```

mod atomic;
mod baselines;
mod calibrations;
mod civil;
mod columns;
mod component;
mod durable;
mod error;
mod gather;
mod history;
#[cfg(test)]
mod history_tests;
mod home;
mod journal;
mod line;
mod lock;
mod reader;
mod run_dir;
mod run_id;
mod slug;
mod workspace;

pub use atomic::write_atomic;
pub use baselines::{Baseline, BaselineBench, BaselineManifest, BaselineRun};
pub use calibrations::{MachineSpread, MachineSpreads};
pub use error::StoreError;
pub use gather::gather;
pub use history::History;
pub use home::{Home, HomeOptions};
pub use journal::{JournalName, JournalWriter};
pub use lock::{MachineLock, WaitPolicy};
pub use reader::{Journal, read_journal, read_run};
pub use run_dir::RunDir;
pub use run_id::RunId;
pub use slug::slug;
pub(crate) use workspace::workspace_root;
