// The conformance suite imports `fs.globSync`, which Node has from 22 on. What it does to a server
// never calls it, so Node 20 will do: `node --import ./old-node.mjs`.

import fs from "node:fs";
import { register } from "node:module";

if (!fs.globSync) {
  const stand_in = 'export * from "node:fs"; export const globSync = () => [];';
  const hook = `export const resolve = (name, context, next) =>
    name === "fs" && context.parentURL.includes("/conformance/")
      ? { url: ${JSON.stringify(`data:text/javascript,${encodeURIComponent(stand_in)}`)}, shortCircuit: true }
      : next(name, context);`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}
