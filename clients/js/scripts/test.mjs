// Bundles each test with esbuild and runs them with Node's test runner: node scripts/test.mjs [name …]
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

const only = process.argv.slice(2);
const tests = readdirSync("test").filter((f) => f.endsWith(".test.ts") && (only.length === 0 || only.some((o) => f.includes(o))));
if (tests.length === 0) throw new Error("no tests");
rmSync("build/test", { recursive: true, force: true });
await build({
  entryPoints: tests.map((f) => `test/${f}`),
  outdir: "build/test",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  packages: "external",
  sourcemap: "inline",
  logLevel: "warning",
});
const files = tests.map((f) => `build/test/${f.replace(/\.ts$/, ".mjs")}`);
const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", "--test-reporter=spec", "--test-timeout=300000", "--test-concurrency=2", ...files], { stdio: "inherit" });
process.exit(status ?? 1);
