// A headless Chromium that records console messages, errors and requests of a page.

import puppeteer from "puppeteer-core";

const TIMEOUT_MS = 180_000;
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

export async function start() {
  // The time limit is long for slow and busy machines. The /dev/shm of a container is small.
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  return puppeteer.launch({ executablePath: CHROMIUM, args, timeout: TIMEOUT_MS, protocolTimeout: 2 * TIMEOUT_MS });
}

/** Opens a file; `faults` grows with every console message, script error, dialog and request but the page's own. */
export async function open(browser, file, { width = 1280, height = 900, scheme = "light", script = true } = {}) {
  const page = await browser.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  page.setDefaultNavigationTimeout(TIMEOUT_MS);
  const url = `file://${file}`;
  const faults = [];
  page.on("console", (message) => faults.push(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
  page.on("dialog", async (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("request", (request) => {
    if (request.url() !== url) faults.push(`request: ${request.url()}`);
  });
  await page.setJavaScriptEnabled(script);
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.goto(url, { waitUntil: "load" });
  return { page, faults };
}
