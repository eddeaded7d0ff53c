// The agent's pages, live: node pages.mjs URL. What happens at the agent is told on standard input, a word a
// line; what was seen is answered on standard output.
import { createInterface } from "node:readline";
import assert from "node:assert/strict";
import { accessible, launch, open, picture } from "./browser.mjs";

const url = process.argv[2];
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const next = async (word) => assert.equal((await lines.next()).value, word);
const say = (word) => console.log(word);
const browser = await launch();
const { page, complaints, close } = await open(browser, `${url}/`);

// What the page says is what the API says.
const fleet = await (await fetch(`${url}/api/v1/fleet`)).json();
assert.equal(await page.locator("ul.fleet li").count(), fleet.nodes);
for (const [state, count] of Object.entries(fleet.states)) {
  assert.equal(await page.locator(`ul.fleet .state.${state}`).count(), count, state);
}
await page.locator("#live", { hasText: "live" }).waitFor();
await picture(page, "fleet-well");
say("open");

await next("firing");
const firing = page.locator("td a[href^='/incidents/']");
await firing.first().waitFor({ timeout: 2000 });
await picture(page, "fleet-firing");
say("seen");
await next("resolved");
await page.getByText("No incident is firing").waitFor({ timeout: 2000 });
say("seen");
assert.deepEqual(complaints, []);

// An agent that is gone is told of, and one that is back is followed.
await next("gone");
await page.locator("#live.stale").waitFor({ timeout: 10_000 });
say("seen");
await next("back");
await page.locator("#live:not(.stale)", { hasText: "live" }).waitFor({ timeout: 15_000 });
await close();

// Every page, with and without a script.
const incident = (await (await fetch(`${url}/api/v1/incidents`)).json()).items[0];
const paths = ["/", "/?range=7d&q=w", "/incidents", `/incidents/${incident.id}`, "/nodes/w1", "/told", "/silences?node=w1&root_cause="];
for (const path of paths) {
  const { page, complaints, close } = await open(browser, url + path);
  await page.locator("#live", { hasText: "live" }).waitFor();
  assert.deepEqual(complaints, [], path);
  const name = path.match(/^\/(incidents\/|nodes|silences)/)?.[1];
  if (name) await picture(page, { "incidents/": "incident", nodes: "node" }[name] ?? name);
  const words = (await page.locator("main h2, main h3").allTextContents()).join();
  await close();
  const plain = await open(browser, url + path, { javaScriptEnabled: false });
  assert.equal((await plain.page.locator("main h2, main h3").allTextContents()).join(), words, path);
  await plain.close();
  const ready = (page) => page.locator("#live", { hasText: "live" }).waitFor();
  await accessible(browser, url + path, ready, path === "/" ? ["light", "dark"] : ["light"]);
}
assert.equal((await fetch(`${url}/nodes/nobody`, { headers: { accept: "text/html" } })).status, 404);

// By keys alone: to the incidents, to a node by its name.
const keys = await open(browser, `${url}/`);
await keys.page.keyboard.press("i");
await keys.page.waitForURL(`${url}/incidents`);
await keys.page.keyboard.press("/");
await keys.page.keyboard.type("w2\n");
await keys.page.waitForURL(`${url}/?q=w2`);
assert.deepEqual(await keys.page.locator("ul.fleet a").allTextContents(), ["w2"]);

// A silence, made and ended, with the token that lets one change things.
await keys.page.goto(`${url}/silences`);
const form = keys.page.locator("form.tall");
const fill = async (token) => {
  for (const [name, value] of Object.entries({ node: "w1", comment: "works", created_by: "me", token })) {
    await form.locator(`[name=${name}]`).fill(value);
  }
  await form.locator("button").click();
};
await fill("wrong");
await form.locator("output", { hasText: "needs the write token" }).waitFor();
await fill("to-change-things-with");
await keys.page.locator("article", { hasText: "everything on w1" }).waitFor();
assert.equal((await (await fetch(`${url}/api/v1/silences`)).json()).items.length, 1);
const end = keys.page.locator("article form");
await end.locator("[name=token]").fill("to-change-things-with");
await end.locator("button").click();
await keys.page.getByText("Nobody is kept from being told anything.").waitFor();
assert.ok(!keys.page.url().includes("token"));
await keys.close();
await browser.close();
say("done");
