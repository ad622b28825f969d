"""Reads every export of four runs and compares the values with the summaries."""
import json
import math
import pathlib
import re
import sys

import jsonschema
import pandas
from junitparser import Error, Failure, JUnitXml, Properties, Skipped
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as prometheus_text

out = pathlib.Path(sys.argv[1])
passed = failed = 0


def check(what, holds, detail=""):
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {what}: {detail}")


def close(a, b):
    """Returns whether two numbers are identical, or both are missing."""
    return (a is None or math.isnan(a)) and b is None or a == b


def escape_controls(text):
    """Replaces characters that XML 1.0 cannot contain, as the export does."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", lambda m: f"\\u{{{ord(m[0]):x}}}", text)


def schema(name):
    loaded = json.load(open(out / f"{name}.schema.json", encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(loaded)
    return jsonschema.Draft202012Validator(loaded)


def valid(what, name, value):
    errors = [f"{'/'.join(map(str, e.path))}: {e.message[:200]}" for e in schema(name).iter_errors(value)]
    check(f"{what}: {name} matches its schema", not errors, errors[:3])


def run(name):
    folder = out / name
    read = lambda file: (folder / file).read_bytes().decode("utf-8")
    summary = json.loads(read("summary.json"))
    # Missing values are left out.
    for metric in (metric for bench in summary["benches"] for metric in bench["metrics"].values()):
        for key in ("value", "interval", "missing"):
            metric.setdefault(key, None)
    benches = {bench["id"]: bench for bench in summary["benches"]}
    origin = summary["run"]["probe"]["origin"]
    valid(name, "json", json.loads(read("summary.json")))
    broken = json.loads(read("summary.json"))
    broken["benches"][0]["status"] = "fine"
    check(f"{name}: the schema rejects a wrong value", not schema("json").is_valid(broken))

    table = pandas.read_csv(folder / "metrics.csv", float_precision="round_trip", keep_default_na=False, na_values={
        column: [""] for column in ["value", "low", "high", "level", "bootstrap_low", "bootstrap_high", "cycles", "samples"]})
    check(f"{name}: pandas finds every bench in the CSV", set(table.bench) == set(benches))
    check(f"{name}: the CSV has one row per bench and metric", not table.duplicated(["run", "bench", "metric"]).any())
    wrong = []
    for row in table[table.metric != ""].itertuples():
        metric = benches[row.bench]["metrics"][row.metric]
        interval = metric["interval"] or {}
        if not (close(row.value, metric["value"]) and close(row.low, interval.get("low")) and close(row.high, interval.get("high"))):
            wrong.append(row)
        if (metric["value"] is None) != (math.isnan(row.value) and row.missing != ""):
            wrong.append(row)
    check(f"{name}: the CSV has the numbers of the summary", not wrong, wrong[:2])
    check(f"{name}: number of rows of the CSV", len(table) == sum(max(1, len(b["metrics"])) for b in benches.values()), len(table))
    energy = table[table.metric.str.contains("j_per_|mean_power_w", regex=True)]
    check(f"{name}: every energy of the CSV has its origin", set(energy.origin) == {origin}, set(energy.origin))
    params = {(id, k): v for id, b in benches.items() for k, v in b["params"]}
    got = {(row["bench"], k): row[f"param.{k}"] for _, row in table.iterrows() for id, k in params if row["bench"] == id}
    check(f"{name}: parameters of the CSV", {k: str(v) for k, v in got.items()} == params, (got, params))

    cycles = pandas.read_json(folder / "cycles.jsonl", lines=True, dtype={"bench": str}, precise_float=True)
    check(f"{name}: pandas reads all cycles", len(cycles) == sum(len(b["cycles"]) for b in benches.values()), len(cycles))
    for line in read("cycles.jsonl").splitlines():
        valid(name, "cycles", json.loads(line))
        break
    for id, group in cycles.groupby("bench"):
        headline = benches[id]["metrics"].get("j_per_output_token")
        if headline and headline["value"]:
            ratio = group.energy_j.sum() / group.output_tokens.sum()
            check(f"{name}: the headline is the ratio of the cycles' sums", math.isclose(ratio, headline["value"], rel_tol=1e-9), (ratio, headline["value"]))
    check(f"{name}: cycles have their origin", set(cycles.origin) == {origin})

    suites = JUnitXml.fromfile(str(folder / "junit.xml"))
    cases = [case for suite in suites for case in suite]
    check(f"{name}: junitparser finds every bench", [c.name for c in cases] == [escape_controls(i) for i in benches], [c.name for c in cases])
    for case, bench in zip(cases, benches.values()):
        kinds = [type(result) for result in case.result]
        ended = (bench["ended"] or {}).get("outcome")
        expected = [Error] if ended != "completed" else [Failure] if bench["status"] == "invalid" else []
        check(f"{name}: JUnit result of {bench['name']}", kinds == expected, (kinds, expected))
        properties = {p.name: p.value for p in case.child(Properties)}
        check(f"{name}: JUnit properties of {bench['name']}", properties["status"] == bench["status"] and properties.get("origin", origin) == origin, properties)
        for metric, expected in bench["metrics"].items():
            if expected["value"] is None:
                check(f"{name}: JUnit reason of missing {metric}", properties.get(f"{metric} missing") == expected["missing"], properties)
            else:
                check(f"{name}: JUnit value of {metric}", float(properties[f"{metric} [{expected['unit']}]"]) == expected["value"])
    check(f"{name}: JUnit counts", (suites.tests, suites.failures + suites.errors) == (len(cases), sum(len(c.result) for c in cases)))

    text = read("metrics.prom")
    for parser, parse in [("OpenMetrics", open_metrics), ("Prometheus text", prometheus_text)]:
        samples = [s for family in parse(text) for s in family.samples]
        found = {(s.labels["bench"], s.labels["metric"]): s for s in samples if "metric" in s.labels and not s.name.endswith(("_low", "_high", "_missing"))}
        expected = {(id, m) for id, b in benches.items() for m, v in b["metrics"].items() if v["value"] is not None}
        check(f"{name}: {parser}: one sample per value", set(found) == expected, set(found) ^ expected)
        check(f"{name}: {parser}: numbers of the summary", all(s.value == benches[b]["metrics"][m]["value"] for (b, m), s in found.items()))
        check(f"{name}: {parser}: energies have their origin", all(s.labels["origin"] == origin for (b, m), s in found.items() if "j_per_" in m))
        reasons = {(s.labels["bench"], s.labels["metric"]): s.labels["reason"] for s in samples if s.name == "lem_bench_missing"}
        check(f"{name}: {parser}: missing values have a reason", all(reasons.values()) and not set(reasons) & set(found))
        usable = {s.labels["bench"]: s.value for s in samples if s.name == "lem_bench_usable"}
        check(f"{name}: {parser}: invalid benches are not usable", usable == {id: float(b["status"] != "invalid") for id, b in benches.items()}, usable)

    bmf = json.loads(read("bmf.json"))
    valid(name, "bmf", bmf)
    # Names begin with package and target there.
    names = {key.split("/", 1)[1].removeprefix(summary["run"]["target"] + "/") for key in bmf}
    check(f"{name}: BMF has all benches with metrics", names == {i for i, b in benches.items() if b["metrics"]}, set(bmf))
    labels = {m for measures in bmf.values() for m in measures if "j_per_" in m}
    check(f"{name}: energies of BMF have their origin", all(m.startswith(origin) or origin == "measured" for m in labels), labels)
    github = json.loads(read("github-action-benchmark.json"))
    valid(name, "github", github)
    check(f"{name}: names of github-action-benchmark are unique", len({b["name"] for b in github}) == len(github) > 0)
    check(f"{name}: energies of github-action-benchmark have their origin", all(origin in b["name"] for b in github if "j_per_" in b["name"]))
    # The format that github-action-benchmark (`tool: cargo`), cargo-benchcmp and critcmp read.
    line = re.compile(r"^test (.+)\s+\.\.\. bench:\s+([0-9,]+) ns/iter \(\+/- ([0-9,]+)\)$")
    lines = read("bencher.txt").splitlines()
    found = [m for m in map(line.match, lines) if m]
    good = [b for b in benches.values() if b["status"] != "invalid" and (b["ended"] or {}).get("outcome") == "completed"]
    check(f"{name}: one bencher line per valid bench", len(found) == len(good), lines)
    for match, bench in zip(found, good):
        rate = bench["metrics"].get("requests_per_s") or bench["metrics"]["iterations_per_s"]
        ns = 1e9 / rate["value"]
        check(f"{name}: time of the bencher line", abs(int(match[2]) - ns) <= 0.5 + 1e-9 * ns, (match[0], ns))
    check(f"{name}: no other line looks like a result", all(l.startswith(("test ", "# ")) for l in lines))
    check(f"{name}: Markdown contains the origin", origin in read("summary.md"))
    check(f"{name}: no escape sequence in Markdown", not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", read("summary.md")))
    check(f"{name}: the page is complete", read("index.html").rstrip().endswith("</html>"))


def comparison(name, expected):
    folder = out / name
    compared = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    valid(name, "comparison", compared)
    wrong = json.loads(json.dumps(compared))
    wrong["benches"][0]["verdict"] = "fine"
    check(f"{name}: the schema rejects a wrong value", not schema("comparison").is_valid(wrong))
    suites = JUnitXml.fromfile(str(folder / "comparison.xml"))
    cases = [case for suite in suites for case in suite]
    ids = [bench["id"] for bench in compared["benches"]] + compared["only_in_base"] + compared["only_in_new"]
    check(f"{name}: junitparser finds every bench of both sides", [c.name for c in cases] == ids, [c.name for c in cases])
    kinds = {type(result) for case, _ in zip(cases, compared["benches"]) for result in case.result}
    check(f"{name}: JUnit results", kinds == expected, kinds)
    for case, bench in zip(cases, compared["benches"]):
        properties = {p.name: p.value for p in case.child(Properties)}
        check(f"{name}: JUnit verdict of {bench['id']}", properties["verdict"] == bench["verdict"], properties)
        if bench["change"]:
            check(f"{name}: JUnit change of {bench['id']}", float(properties["change [%]"]) == bench["change"]["percent"])
    counts = (suites.tests, suites.failures, suites.errors, suites.skipped)
    found = [sum(type(r) is kind for c in cases for r in c.result) for kind in (Failure, Error, Skipped)]
    check(f"{name}: JUnit counts", counts == (len(cases), *found), (counts, found))
    check(f"{name}: Markdown names every bench", all(f"`{b['id']}`" in (folder / "comparison.md").read_text() for b in compared["benches"]))
    check(f"{name}: the page is complete", (folder / "compare.html").read_text().rstrip().endswith("</html>"))


comparison("compared-simulated", {Skipped})
comparison("compared-troubled", {Error})
for name in ["simulated", "troubled", "simulated-hostile", "troubled-hostile"]:
    run(name)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
