// Where reading needs a token: node token.mjs URL TOKEN
import assert from "node:assert/strict";
import { launch, open } from "./browser.mjs";

const [url, token] = process.argv.slice(2);
const browser = await launch();
const { page } = await open(browser, `${url}/`);
const enter = async (text) => { await page.locator("#token").fill(text); await page.locator("button").click(); };
await enter("wrong");
await page.getByText("That is not the token.").waitFor();
await enter(token);
await page.locator("ul.fleet li").first().waitFor();
await page.locator("#live", { hasText: "live" }).waitFor();
const [cookie] = await page.context().cookies();
assert.ok(cookie.httpOnly && cookie.sameSite === "Strict" && !cookie.value.includes(token), JSON.stringify(cookie));
const script = await page.evaluate(() => document.cookie);
assert.equal(script, "");
await browser.close();
console.log("{}");
