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
      [...body.rows].filter((row) => row.dataset.r).map((row, at) => {
        const keys = row.dataset.k.split(" ").map((key) => (key === "" ? NaN : Number(key)));
        const id = row.cells[0].textContent;
        const text = `${id} ${row.dataset.t || ""}`.toLowerCase();
        return { row, group, at, keys, id, text, result: row.dataset.r };
      }));
    return { table, bodies, all, rows, by: null, down: false };
  });
  const compare = (by, down) => (a, b) => {
    const sign = down ? -1 : 1;
    if (by === "id") return sign * numeric.compare(a.id, b.id);
    if (by === "result") return sign * (order[a.result] - order[b.result]);
    const [x, y] = [a.keys[by], b.keys[by]];
    // What has no number stands last, whichever way.
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return sign * (x - y);
  };
  const lay = ({ bodies, all, rows, by, down }) => {
    const sorted = by === null ? rows : [...rows].sort(compare(by, down));
    for (const one of sorted) (grouped.checked ? bodies[one.group] : all).append(one.row);
  };
  const hide = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    let total = 0;
    for (const { bodies, rows } of tables) {
      const seen = bodies.map(() => 0);
      for (const one of rows) {
        const fits = words.every((word) => one.text.includes(word)) && (!result.value || one.result === result.value);
        one.row.hidden = !fits;
        total += 1;
        if (fits) {
          n += 1;
          seen[one.group] += 1;
        }
      }
      bodies.forEach((body, group) => { body.hidden = !grouped.checked || seen[group] === 0; });
    }
    shown.textContent = n === total ? `${total} shown` : `${n} of ${total} shown`;
  };
  for (const one of tables) {
    const heads = [...one.table.tHead.rows[0].cells].filter((head) => head.dataset.sort);
    for (const head of heads) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const by = /^\d/.test(head.dataset.sort) ? Number(head.dataset.sort) : head.dataset.sort;
        one.down = one.by === by && !one.down;
        one.by = by;
        for (const other of heads) other.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", one.down ? "descending" : "ascending");
        lay(one);
      });
    }
  }
  filter.addEventListener("input", hide);
  result.addEventListener("change", hide);
  grouped.addEventListener("change", () => { tables.forEach(lay); hide(); });
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.hidden = false;
  hide();
})();
