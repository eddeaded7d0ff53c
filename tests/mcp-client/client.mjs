// Drives every tool, resource and prompt of a server with the official TypeScript clients; checks
// every answer against its schema. Told by one argument, in JSON:
// {http: {url, token}, stdio: {command, args, env}, event}.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import * as next from "@modelcontextprotocol/client";
import { StdioClientTransport as NextStdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/client/validators/ajv";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const told = JSON.parse(process.argv[2]);
const questions = Object.entries(
  JSON.parse(readFileSync(new URL("questions.json", import.meta.url), "utf8")),
);
const me = { name: "tests", version: "0" };
const schemas = new AjvJsonSchemaValidator();

const requestInit = { headers: { authorization: `Bearer ${told.http.token}` } };
const http = (Transport) => new Transport(new URL(told.http.url), { requestInit });
const asking = (mode) => new next.Client(me, { versionNegotiation: { mode } });
const [older, newer] = ["2025-11-25", "2026-07-28"];

// The sdk knows no newer revision.
const clients = [
  ["sdk over http", older, new Client(me), http(StreamableHTTPClientTransport)],
  ["sdk over stdio", older, new Client(me), new StdioClientTransport(told.stdio)],
  ["client over http", older, asking("legacy"), http(next.StreamableHTTPClientTransport)],
  ["client over stdio", older, asking("legacy"), new NextStdioClientTransport(told.stdio)],
  ["client over http", newer, asking({ pin: newer }), http(next.StreamableHTTPClientTransport)],
  ["client over stdio", newer, asking({ pin: newer }), new NextStdioClientTransport(told.stdio)],
];

for (const [name, revision, client, transport] of clients) {
  // How the client tells its transport which revision was agreed on.
  let agreed;
  const tell = transport.setProtocolVersion?.bind(transport);
  transport.setProtocolVersion = (version) => {
    agreed = version;
    tell?.(version);
  };
  await client.connect(transport);
  assert.equal(client.getNegotiatedProtocolVersion?.() ?? agreed, revision);
  const counts = [await tools(client), await resources(client), await prompts(client)];
  await mistakes(client);
  await (revision === newer ? listens(client) : changes(client));
  await client.close();
  console.log(`${revision}, ${name}: ${counts.join(", ")}`);
}

/** Asks every tool; each answer must be what its schema says. */
async function tools(client) {
  const { tools } = await client.listTools();
  const names = (all) => all.map(([name]) => name).sort();
  assert.deepEqual(names(tools.map((tool) => [tool.name])), names(questions));
  const found = { EVENT: told.event, LATER: new Date(Date.now() + 3600e3).toISOString() };
  for (const [name, asked] of questions) {
    const filled = Object.entries(asked).map(([key, value]) => [key, found[value] ?? value]);
    const answer = await client.callTool({ name, arguments: Object.fromEntries(filled) });
    assert(!answer.isError, `${name}: ${JSON.stringify(answer.content)}`);
    const { outputSchema, annotations } = tools.find((tool) => tool.name === name);
    const checked = schemas.getValidator(outputSchema)(answer.structuredContent);
    assert(checked.valid, `${name}: ${checked.errorMessage}`);
    assert.equal(typeof annotations.readOnlyHint, "boolean", name);
    assert(answer.content[0].text, `${name} says nothing`);
    if (name === "list_incidents") found.INCIDENT = answer.structuredContent.incidents[0].id;
    if (name === "silence") found.SILENCE = answer.structuredContent.id;
  }
  return `${questions.length} tools`;
}

/** Reads every resource that is listed, one of each template, and completes a name. */
async function resources(client) {
  const { resources } = await client.listResources();
  const { resourceTemplates } = await client.listResourceTemplates();
  const uris = resources.map((resource) => resource.uri);
  const of = (kind) => uris.filter((uri) => uri.startsWith(`ptp://${kind}`));
  for (const uri of uris) {
    const { contents } = await client.readResource({ uri });
    assert.equal(contents[0].uri, uri);
    if (contents[0].mimeType === "application/json") JSON.parse(contents[0].text);
  }
  for (const { uriTemplate } of resourceTemplates) {
    const kind = uriTemplate.split("{")[0];
    assert(uris.some((uri) => uri.startsWith(kind)), `nothing is listed of ${uriTemplate}`);
  }
  const uri = "ptp://nodes/{node}";
  const argument = { name: "node", value: "w" };
  const { completion } = await client.complete({ ref: { type: "ref/resource", uri }, argument });
  assert(completion.values.includes("w1"));
  assert(of("alerts").length && of("incidents").length && of("nodes").length && of("manual").length);
  return `${resourceTemplates.length} templates of resources`;
}

/** Gets every prompt, with every argument. */
async function prompts(client) {
  const { prompts } = await client.listPrompts();
  for (const { name, arguments: wanted } of prompts) {
    const given = Object.fromEntries(wanted.map((argument) => [argument.name, "w1"]));
    const { messages } = await client.getPrompt({ name, arguments: given });
    assert(messages[0].content.text.includes("`w1`"), name);
  }
  return `${prompts.length} prompts`;
}

/** What is wrong with a call is told in the answer; what does not exist is an error. */
async function mistakes(client) {
  const answer = await client.callTool({ name: "get_incident", arguments: { id: "nothing" } });
  assert(answer.isError && answer.content[0].text.includes("no such incident"));
  await assert.rejects(client.callTool({ name: "no_such_tool", arguments: {} }));
  await assert.rejects(client.readResource({ uri: "ptp://nodes/nobody" }));
  await assert.rejects(client.getPrompt({ name: "no_such_prompt" }));
}

/** Follows a resource and lets go of it. */
async function changes(client) {
  const uri = "ptp://alerts/current";
  await client.subscribeResource({ uri });
  await client.unsubscribeResource({ uri });
}

/** The same in the newer revision: a stream of what was asked for. */
async function listens(client) {
  const stream = await client.listen({ resourceSubscriptions: ["ptp://alerts/current"] });
  await stream.close();
}
