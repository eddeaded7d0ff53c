// A thousand nodes, and a day of updates: node many.mjs URL-OF-MANY URL-OF-FEW
import assert from "node:assert/strict";
import { launch, open } from "./browser.mjs";

const [many, few] = process.argv.slice(2);
const browser = await launch();
// The first look warms the browser up, not the page.
await (await open(browser, few)).close();
const { page, close } = await open(browser, many);
const timing = await page.evaluate(() => {
  const [shown] = performance.getEntriesByType("navigation");
  const all = [shown, ...performance.getEntriesByType("resource")];
  return { loaded: shown.domContentLoadedEventEnd, bytes: all.reduce((sum, entry) => sum + (entry.transferSize ?? 0), 0) };
});
assert.equal(await page.locator("ul.fleet li").count(), 1000);
await close();

const day = await open(browser, few);
const client = await day.page.context().newCDPSession(day.page);
const measure = async () => {
  // Documents that are let go are collected bit by bit.
  for (let last = Infinity; ;) {
    await client.send("HeapProfiler.collectGarbage");
    await day.page.waitForTimeout(300);
    const { metrics } = await client.send("Performance.getMetrics");
    const told = Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
    if (told.Nodes >= last) return told;
    last = told.Nodes;
  }
};
await client.send("Performance.enable");
const update = (times) => day.page.evaluate(async (times) => { for (let n = 0; n < times; n += 1) await refresh(); }, times);
await update(200);
const before = await measure();
await update(1000);
const after = await measure();
await browser.close();
console.log(JSON.stringify({ ...timing, heap: after.JSHeapUsedSize / before.JSHeapUsedSize, nodes: after.Nodes / before.Nodes }));
