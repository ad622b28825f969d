#!/usr/bin/env bash
# Compares the energies that Zeus (PyPI) and lem-bench measure in the same windows on a simulated GPU with the truth.
#
#   tests/tools/zeus_compare.sh [SECONDS]...        (default: 0.15 0.5 1 2 5)
#
# Needs cargo, python3 with venv, and network access for the first run. Needs no GPU: uses the NVML double of the tests.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
venv=${ZEUS_VENV:-target/zeus-venv}
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -c 'import zeus' 2>/dev/null || "$venv/bin/pip" install --quiet zeus
cargo build --quiet --release -p nvml-double
cargo build --quiet --release --no-default-features --example energy_window
target=${CARGO_TARGET_DIR:-target}/release
cp "$target/libnvml_double.so" "$work/libnvidia-ml.so.1"
# 350 W and 90 W alternate, with a period that is not a multiple of the counter's 100 ms.
cat > "$work/gpu.json" <<JSON
{"devices": [{"name": "NVIDIA H100 80GB HBM3", "uuid": "GPU-00000000-1111-2222-3333-444444444444",
              "power_w": {"steps": [[0, 350], [0.37, 90]], "repeat_s": 0.61},
              "counter": {"period_s": 0.1, "mode": "exact"}}]}
JSON
LD_LIBRARY_PATH="$work" LEM_NVML_DOUBLE="$work/gpu.json" "$venv/bin/python" tests/tools/zeus_compare.py \
  "$target/examples/energy_window" "$work/gpu.json" "${@:-}"
