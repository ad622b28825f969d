#!/bin/sh
# Energy benches as a Slurm array: each task measures one part of the benches, on a machine of its own.
#
#   sbatch --wait --array=1-4 docs/ci/energy-array.sh
#   cargo lem merge "$LEM_BENCH_HOME"
#
# Results go to LEM_BENCH_HOME, a folder that all machines see. Build once, before: `cargo bench --no-run`.
#SBATCH --ntasks=1
#SBATCH --exclusive
#SBATCH --time=01:00:00
set -eu
: "${BENCH:=cargo bench --}"
exec $BENCH --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"
