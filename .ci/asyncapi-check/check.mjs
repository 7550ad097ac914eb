// Checks an AsyncAPI document with the parser of the AsyncAPI project: node check.mjs FILE. It prints every diagnostic,
// and fails on errors and on an empty document.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Parser } from "@asyncapi/parser";

const file = resolve(process.argv[2]);
const { document, diagnostics } = await new Parser().parse(await readFile(file, "utf8"), { source: file });
const names = ["error", "warning", "info", "hint"];
for (const d of diagnostics) {
  console.log(`${file}:${d.range.start.line + 1}: ${names[d.severity]}: ${d.path.join("/")}: ${d.message}`);
}
const errors = diagnostics.filter((d) => d.severity === 0).length;
if (!document || errors > 0) {
  console.error(`asyncapi: ${errors} errors`);
  process.exit(1);
}
const sizes = [document.channels(), document.operations(), document.components().messages()].map((all) => all.all().length);
console.log(`asyncapi: ${sizes[0]} channels, ${sizes[1]} operations, ${sizes[2]} messages, ${diagnostics.length} diagnostics, 0 errors`);
if (sizes.includes(0)) {
  process.exit(1);
}
