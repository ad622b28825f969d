// Tests the pages in a browser: no errors, requests or serious accessibility violations; sorting and filtering; dark,
// narrow and printed pages. Usage: node suite.mjs FOLDER [SHOTS]. FOLDER contains one folder per report; screenshots are
// written to SHOTS.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

import { open, start } from "./browser.mjs";

const folder = resolve(process.argv[2]);
const shots = process.argv[3] && resolve(process.argv[3]);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const reports = readdirSync(folder, { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => e.name).sort();
assert(reports.length > 0, `no report in ${folder}`);
const browser = await start();
let checks = 0;
const failures = [];

async function check(name, body) {
  checks += 1;
  try {
    await body();
  } catch (error) {
    failures.push(name);
    console.log(`FAILED ${name}\n  ${String(error.message).split("\n").join("\n  ")}`);
  }
}

function pagesOf(report) {
  const html = (at) => readdirSync(join(folder, report, at), { withFileTypes: true })
    .filter((e) => e.isFile() && e.name.endsWith(".html")).map((e) => join(at, e.name));
  const all = html(".");
  try { all.push(...html("benches")); } catch { /* a run without benches */ }
  // Pages of benches are alike, so that the first ones are sufficient.
  return all.slice(0, 8);
}

async function shoot(page, name) {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}

// Returns the width of the page if it is wider than the screen, else 0. Scrolling boxes do not count.
const overflow = () => {
  const width = document.documentElement.clientWidth;
  return document.documentElement.scrollWidth > width ? document.documentElement.scrollWidth : 0;
};

async function accessible(page) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const serious = result.violations.filter((v) => ["serious", "critical"].includes(v.impact));
  assert.deepEqual(serious.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")}`), []);
}

for (const report of reports) {
  for (const path of pagesOf(report)) {
    const file = join(folder, report, path);
    const label = `${report}/${path.slice(0, 60)}`;
    for (const scheme of ["light", "dark"]) {
      for (const width of [1280, 360]) {
        const { page, faults } = await open(browser, file, { width, scheme });
        await check(`${label} ${scheme} ${width}: opens without errors or requests`, async () => {
          await new Promise((done) => setTimeout(done, 20));
          assert.deepEqual(faults, []);
        });
        await check(`${label} ${scheme} ${width}: fits the screen`, async () => assert.equal(await page.evaluate(overflow), 0));
        if (width === 1280 && !label.startsWith("hostile")) {
          await check(`${label} ${scheme}: table of benches fits the screen`, async () => {
            const wide = await page.$$eval("table.overview", (all) => all.map((t) => t.scrollWidth - t.closest(".scroll").clientWidth));
            assert.deepEqual(wide.filter((more) => more > 0), []);
          });
        }
        await check(`${label} ${scheme}: the background is ${scheme}`, async () => {
          const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
          const light = paper.match(/\d+/g).slice(0, 3).every((part) => Number(part) > 128);
          assert.equal(light, scheme === "light", paper);
        });
        if (path === "index.html" || shots) await shoot(page, `${report}-${path.replace(/\W+/g, "-").slice(0, 50)}-${scheme}-${width}`);
        // Axe is injected despite the page's security policy, so that it runs after the check for errors.
        // Two of the four combinations cover the contrasts of both schemes and the structure of both widths.
        if ((scheme === "light") === (width === 1280)) {
          await check(`${label} ${scheme} ${width}: axe finds no serious violations`, () => accessible(page));
        }
        await page.close();
      }
    }
    await check(`${label}: prints in light colours and unfolded`, async () => {
      const { page } = await open(browser, file, { width: 720, scheme: "dark" });
      await page.emulateMediaType("print");
      const text = await page.evaluate(() => {
        const [r, g, b] = getComputedStyle(document.body).color.match(/\d+/g).map(Number);
        const details = [...document.querySelectorAll("details")];
        const folded = details.filter((d) => d.querySelector("table")?.getBoundingClientRect().height === 0);
        return { dark: r + g + b < 300, folded: folded.length };
      });
      assert.deepEqual(text, { dark: true, folded: 0 });
      const pdf = await page.pdf({ format: "A4" });
      assert.equal(Buffer.from(pdf.slice(0, 5)).toString(), "%PDF-");
      await page.close();
    });
  }
}

const index = (report) => join(folder, report, "index.html");
const rows = (page) => page.$$eval("table.overview tr[data-r]", (all) => all.filter((row) => row.checkVisibility()).map((row) => row.cells[0].innerText.trim()));
const keys = (page, at) => page.$$eval("table.overview tr[data-r]", (all, at) => all.filter((r) => r.checkVisibility()).map((r) => r.dataset.k.split(" ")[at]), at);

await check("the security policy has the hash of the script", async () => {
  const html = readFileSync(index("grid"), "utf8");
  const script = html.match(/<script>([\s\S]*)<\/script>/)[1];
  const hash = createHash("sha256").update(script).digest("base64");
  assert(html.includes(`script-src 'sha256-${hash}'`), `put sha256-${hash} into templates/index.html`);
});

await check("clicks and keys on a table header sort in both directions", async () => {
  const { page } = await open(browser, index("grid"));
  await page.click("#grouped");
  for (const [head, at] of [["energy", 0], ["net", 1], ["speed", 2]]) {
    const button = await page.evaluateHandle((head) => [...document.querySelectorAll("thead button")].find((b) => b.textContent === head), head);
    await button.click();
    const up = (await keys(page, at)).map(Number);
    assert.deepEqual(up, [...up].sort((a, b) => a - b), `${head} ascends`);
    await button.press("Enter");
    const down = (await keys(page, at)).map(Number);
    assert.deepEqual(down, [...down].sort((a, b) => b - a), `${head} descends`);
    const sort = await button.evaluate((b) => b.closest("th").getAttribute("aria-sort"));
    assert.equal(sort, "descending");
  }
  await page.close();
});

await check("sorting keeps visible groups together", async () => {
  const { page } = await open(browser, index("grid"));
  await (await page.evaluateHandle(() => document.querySelector("thead button"))).click();
  const groups = await page.$$eval("table.overview tbody", (bodies) => bodies.filter((b) => b.checkVisibility()).map((b) => b.rows.length));
  assert.deepEqual(groups.filter((n) => n > 0), [16, 2], "each group has a header and its benches");
  await page.close();
});

await check("the filter matches ids and tags and shows the count", async () => {
  const { page } = await open(browser, index("grid"));
  const all = (await rows(page)).length;
  await page.type("#filter", "F32 batch=8");
  assert.deepEqual(await rows(page), ["decode/batch=8/dtype=f32"]);
  assert.equal(await page.$eval("#shown", (o) => o.textContent), `1 of ${all} shown`);
  await page.$eval("#filter", (input) => { input.value = "<img src=x"; input.dispatchEvent(new Event("input")); });
  assert.deepEqual(await rows(page), []);
  await page.close();
});

await check("the result filter shows matching benches", async () => {
  const { page } = await open(browser, index("card"));
  await page.select("#result", "bad");
  assert.deepEqual(await rows(page), ["decode/batch=1/dtype=f32", "broken"]);
  await page.close();
});

await check("without scripts, tables are visible and controls are hidden", async () => {
  const { page, faults } = await open(browser, index("grid"), { script: false });
  assert.equal((await page.$$("table.overview tr[data-r]")).length, 16);
  assert.equal(await page.$eval("#controls", (form) => form.checkVisibility()), false);
  assert.deepEqual(faults, []);
  await page.close();
});

await check("keyboard navigation from the index to a bench and back", async () => {
  const { page } = await open(browser, index("card"));
  await page.focus("table.overview tr[data-r] a");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  assert.match(page.url(), /benches\/decode-batch=1-dtype=bf16-/);
  await page.focus("nav a");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  assert.match(page.url(), /index\.html$/);
  await page.close();
});

await check("axe detects an injected violation", async () => {
  const { page } = await open(browser, index("card"));
  await page.evaluate(() => document.querySelector("#filter").closest("label").replaceWith(document.querySelector("#filter")));
  await page.$eval("#filter", (input) => input.removeAttribute("placeholder"));
  await assert.rejects(accessible(page), /label/);
  await page.close();
});

await check("hostile names are shown as text", async () => {
  const { page, faults } = await open(browser, index("hostile"));
  assert.deepEqual(faults, []);
  const seen = await page.evaluate(() => [document.images.length, document.scripts.length, document.body.innerText.includes("<script>alert(1)</script>")]);
  assert.deepEqual(seen, [0, 1, true]);
  await page.close();
});

await browser.close();
console.log(`${checks} checks of ${reports.join(", ")}: ${checks - failures.length} passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);
