"use strict";
(() => {
  const controls = document.getElementById("controls");
  if (!controls) return;
  const filter = document.getElementById("filter");
  const result = document.getElementById("result");
  const grouped = document.getElementById("grouped");
  const shown = document.getElementById("shown");
  const order = { good: 0, careful: 1, bad: 2 };
  const numeric = new Intl.Collator("en", { numeric: true });
  const tables = [...document.querySelectorAll("table.overview")].map((table) => {
    const bodies = [...table.tBodies];
    const all = document.createElement("tbody");
    all.setAttribute("role", "rowgroup");
    table.append(all);
    const rows = bodies.flatMap((body, group) =>
      [...body.rows].filter((row) => row.dataset.r).map((row) => {
        const keys = row.dataset.k.split(" ").map((key) => (key === "" ? NaN : Number(key)));
        const id = row.cells[0].textContent;
        const text = `${id} ${row.dataset.t || ""}`.toLowerCase();
        return { row, group, keys, id, text, result: row.dataset.r };
      }));
    return { element: table, bodies, all, rows, by: null, down: false };
  });
  const compare = (by, down) => (a, b) => {
    const sign = down ? -1 : 1;
    if (by === "id") return sign * numeric.compare(a.id, b.id);
    if (by === "result") return sign * (order[a.result] - order[b.result]);
    const [x, y] = [a.keys[by], b.keys[by]];
    // Rows without a number are last in both directions.
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return sign * (x - y);
  };
  const sortRows = ({ bodies, all, rows, by, down }) => {
    const sorted = by === null ? rows : [...rows].sort(compare(by, down));
    for (const entry of sorted) (grouped.checked ? bodies[entry.group] : all).append(entry.row);
  };
  const applyFilter = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    let total = 0;
    for (const { bodies, rows } of tables) {
      const visible = bodies.map(() => 0);
      for (const entry of rows) {
        const matches = words.every((word) => entry.text.includes(word)) && (!result.value || entry.result === result.value);
        entry.row.hidden = !matches;
        total += 1;
        if (matches) {
          n += 1;
          visible[entry.group] += 1;
        }
      }
      bodies.forEach((body, group) => { body.hidden = !grouped.checked || visible[group] === 0; });
    }
    shown.textContent = n === total ? `${total} shown` : `${n} of ${total} shown`;
  };
  for (const table of tables) {
    const heads = [...table.element.tHead.rows[0].cells].filter((head) => head.dataset.sort);
    for (const head of heads) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const by = /^\d/.test(head.dataset.sort) ? Number(head.dataset.sort) : head.dataset.sort;
        table.down = table.by === by && !table.down;
        table.by = by;
        for (const other of heads) other.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", table.down ? "descending" : "ascending");
        sortRows(table);
      });
    }
  }
  filter.addEventListener("input", applyFilter);
  result.addEventListener("change", applyFilter);
  grouped.addEventListener("change", () => { tables.forEach(sortRows); applyFilter(); });
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.hidden = false;
  applyFilter();
})();
