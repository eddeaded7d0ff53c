// A report in one file: node report.mjs FILE.html EXPECTED.json
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import assert from "node:assert/strict";
import { accessible, launch, open, picture } from "./browser.mjs";

const [file, truth] = process.argv.slice(2);
const url = pathToFileURL(file).href;
const expected = JSON.parse(readFileSync(truth, "utf8"));
const browser = await launch();

const begun = Date.now();
const { page, complaints, close } = await open(browser, url);
const opened = Date.now() - begun;
const text = (selector) => page.locator(selector).allTextContents();
const headings = await text("article h3");
for (const [n, summary] of expected.summaries.slice(0, headings.length).entries()) {
  assert.ok(headings[n].includes(summary), `${headings[n]} tells ${summary}`);
}
const rows = await page.locator("tr[id^=incident-]").count();
assert.equal(headings.length + rows, expected.summaries.length, "every incident is told");
assert.equal(await page.locator("[id^=node-]").count(), expected.nodes, "every node is told");
if (expected.curves) {
  assert.ok((await page.locator("article svg .curve").count()) > 0, "a curve is drawn");
  const box = await page.locator("article svg").first().boundingBox();
  assert.ok(box.width > 600 && box.height > 100, JSON.stringify(box));
}
// Whatever a node is called, it is text.
assert.equal(await page.evaluate(() => globalThis.injected), undefined);
assert.equal(await page.locator("img, iframe, object, link, script[src]").count(), 0);
const command = page.locator("pre.command").first();
if (await command.count()) {
  const button = command.locator("button");
  await button.click();
  await button.filter({ hasText: /Copied|Press/ }).waitFor();
}
assert.deepEqual(complaints, []);
if (expected.picture) await picture(page, expected.picture);
await close();

// The same words without a script.
const plain = await open(browser, url, { javaScriptEnabled: false });
assert.deepEqual(await plain.page.locator("article h3").allTextContents(), headings);
await plain.close();

// On paper everything is unfolded.
const paper = await open(browser, url);
await paper.page.evaluate(() => dispatchEvent(new Event("beforeprint")));
assert.equal(await paper.page.locator("details:not([open])").count(), 0);
assert.deepEqual(paper.complaints, []);
await paper.close();

if (expected.accessible) await accessible(browser, url);
await browser.close();
console.log(JSON.stringify({ opened }));
