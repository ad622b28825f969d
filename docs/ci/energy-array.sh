#!/bin/sh
# Energy benches as a Slurm array: each task measures one shard of the benches on its own machine.
#
#   sbatch --wait --array=1-4 docs/ci/energy-array.sh
#   cargo lem merge "$LEM_BENCH_HOME"
#
# Set LEM_BENCH_HOME to a folder that all machines share. Build once before this: `cargo bench --no-run`.
#SBATCH --ntasks=1
#SBATCH --exclusive
#SBATCH --time=01:00:00
set -eu
: "${BENCH:=cargo bench --}"
exec $BENCH --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"
