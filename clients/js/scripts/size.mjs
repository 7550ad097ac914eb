// Fails if a file that a page loads exceeds its size budget: node scripts/size.mjs. Of the 58 KB of ringline.js, some
// 27 are centrifuge-js, 11 the elements, and 4 what handles sleep, half-open connections and unreachable servers. With a
// bundler, an app that imports only RinglineClient loads 40 KB of the package.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const budgets = { "dist/ringline.js": 59_000, "dist/ringline.mini.js": 46_000 }; // bytes, gzip -9

for (const [file, budget] of Object.entries(budgets)) {
  const content = readFileSync(file);
  const size = gzipSync(content, { level: 9 }).length;
  console.log(`${file}: ${size} bytes with gzip of ${budget}, ${content.length} without`);
  if (size > budget) {
    console.error(`${file} is over its budget: make it smaller, or raise the budget and say why`);
    process.exitCode = 1;
  }
}
