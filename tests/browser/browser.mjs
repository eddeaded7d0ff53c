// What every page must keep to, in a real browser.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function launch() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  // The tests may run as root, in a container: there is no sandbox to be had.
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

// A page that notes whatever it complains of.
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => { complaints.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()}`));
  await page.goto(url);
  return { page, complaints, close: () => context.close() };
}

// A picture for the documentation, where PTP_PICTURES says into which folder.
export async function picture(page, name) {
  const folder = process.env.PTP_PICTURES;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, clip: { x: 0, y: 0, width: 1280, height: 760 } });
}

// No finding of axe-core that is serious or worse.
export async function accessible(browser, url, ready, colorSchemes = ["light", "dark"]) {
  for (const colorScheme of colorSchemes) {
    const { page, close } = await open(browser, url, { bypassCSP: true, colorScheme });
    if (ready) await ready(page);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    const bad = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
    const told = bad.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html).join(" | ")}`);
    assert.deepEqual(told, [], colorScheme);
    await close();
  }
}
