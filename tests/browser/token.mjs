// Where reading needs a token: node token.mjs URL TOKEN
import assert from "node:assert/strict";
import { launch, open } from "./browser.mjs";

const [url, token] = process.argv.slice(2);
const browser = await launch();
const { page } = await open(browser, `${url}/nodes/w1`);
const enter = async (text) => { await page.locator("#token").fill(text); await page.locator("button").click(); };
await enter("wrong");
await page.getByText("That is not the token.").waitFor();
await enter(token);
// It leads on to where one wanted to go.
await page.locator("h2", { hasText: "w1" }).waitFor();
assert.equal(page.url(), `${url}/nodes/w1`);
await page.locator("#live", { hasText: "live" }).waitFor();
const [cookie] = await page.context().cookies();
assert.ok(cookie.httpOnly && cookie.sameSite === "Lax" && !cookie.value.includes(token), JSON.stringify(cookie));
const script = await page.evaluate(() => document.cookie);
assert.equal(script, "");
await browser.close();
console.log("{}");
