// Writes src/wire/messages.ts, the types of the messages of a client session, from the JSON Schemas: node
// scripts/wire.mjs. With --check it writes nothing and fails if the file is not current.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { compile } from "json-schema-to-typescript";

const schemas = "../../schemas";
const file = "src/wire/messages.ts";

const schema = (name) => ({ $ref: `${name}/v1.json` });
const anyOf = (title, members) => ({ title, anyOf: members });

// Every message that the package reads or writes, except the commands, whose fields src/client/options.ts checks.
const notification = anyOf("Notification", readdirSync(`${schemas}/notification`).sort().map((kind) => schema(`notification/${kind}`)));
const push = anyOf("Push", [schema("session/push"), notification]);
const message = anyOf("Message", [...["session/connect", "session/snapshot", "answer", "reply/line"].map(schema), push]);

const generated = await compile(message, "Message", {
  cwd: schemas,
  additionalProperties: false, // readers ignore unknown fields, so the types do not have them
  ignoreMinAndMaxItems: true,
  bannerComment: "",
});

// The descriptions are in docs/reference.md. Without them this file changes only when a message does.
const types = generated.replace(/^ *\/\*\*[\s\S]*?\*\/\n/gm, "").trim();
// The requests of a session, by name. Only backends list calls.
const requests = readdirSync(`${schemas}/request`).filter((name) => name !== "list").sort();
const method = `export type Method =\n${requests.map((name) => `  | "${name}"`).join("\n")};`;

const text = `// Generated from schemas/ by scripts/wire.mjs (npm run generate). docs/reference.md describes the messages.\n\n${types}\n\n${method}\n`;

if (!process.argv.includes("--check")) writeFileSync(file, text);
else if (readFileSync(file, "utf8") !== text) {
  console.error(`${file} does not match schemas/: run npm run generate in clients/js and commit it`);
  process.exit(1);
}
