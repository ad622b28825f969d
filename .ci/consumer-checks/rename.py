"""Replaces the names of the benches, groups and parameters of a summary by hostile ones."""
import json
import sys

from names import HOSTILE

summary = json.load(open(sys.argv[1], encoding="utf-8"))
for at, bench in enumerate(summary["benches"]):
    name = HOSTILE[at % len(HOSTILE)]
    bench["id"] = f"{name}/{at}"
    bench["group"] = bench["module"] = bench["description"] = name
    bench["params"] = [[name, name]]
    if bench["findings"]:
        bench["findings"][0]["evidence"] = name
summary["run"]["target"] = HOSTILE[0]
json.dump(summary, open(sys.argv[2], "w", encoding="utf-8"), ensure_ascii=False)
