// Packs the client, installs it into an empty project without a network, type-checks test/pack/callbacks.ts there as
// ESM and as CommonJS, and loads it both ways: node test/pack.mjs
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const home = process.cwd();
const dir = mkdtempSync(join(tmpdir(), "ringline-pack-"));
const run = (command, args, cwd = dir) => execFileSync(command, args, { cwd, stdio: ["ignore", "pipe", "inherit"] }).toString();

try {
  run("npm", ["pack", "--silent", "--pack-destination", dir], home);
  const tarball = readdirSync(dir).find((f) => f.endsWith(".tgz"));
  writeFileSync(join(dir, "package.json"), JSON.stringify({ name: "empty", private: true }));
  run("npm", ["install", "--offline", "--silent", "--no-audit", "--no-fund", `./${tarball}`]);

  const installed = join(dir, "node_modules/@ringline/client");
  assert.deepEqual(readdirSync(join(dir, "node_modules")).filter((f) => !f.startsWith(".")), ["@ringline"], "no dependency");
  assert.deepEqual(readdirSync(installed).sort(), ["LICENSE", "README.md", "dist", "package.json"]);
  assert.deepEqual(readdirSync(join(installed, "dist")).sort(), ["index.cjs", "index.d.cts", "index.d.mts", "index.mjs", "ringline.js", "ringline.mini.d.ts", "ringline.mini.js"]);

  const tsc = resolve(home, "node_modules/.bin/tsc");
  const lib = ["--strict", "--exactOptionalPropertyTypes", "--target", "es2022", "--lib", "es2022,dom", "--types", "", "--noEmit"];
  mkdirSync(join(dir, "src"));
  for (const extension of ["mts", "cts"]) copyFileSync("test/pack/callbacks.ts", join(dir, `src/callbacks.${extension}`));
  run(tsc, [...lib, "--module", "node16", "src/callbacks.mts", "src/callbacks.cts"]);
  run(tsc, [...lib, "--module", "nodenext", "src/callbacks.mts", "src/callbacks.cts"]);
  run(tsc, [...lib, "--module", "esnext", "--moduleResolution", "bundler", "src/callbacks.mts"]);

  const mini = 'import { Ringline, RinglineError, type InvitationEvents } from "@ringline/client/mini";';
  const miniUse = 'void Ringline.init("a", "s", "u", "U", "t", { platform: {}, ui: false }, {} as InvitationEvents); void Ringline.accept(); void RinglineError;';
  writeFileSync(join(dir, "src/mini.mts"), `${mini}\n${miniUse}\n`);
  run(tsc, [...lib, "--module", "nodenext", "src/mini.mts"]);

  const names = ["CallScenario", "CallType", "Ringline", "RinglineClient", "RinglineError"];
  const show = "console.log(JSON.stringify(Object.keys(m).filter((k) => k !== 'default' && k !== 'module.exports').sort()))";
  writeFileSync(join(dir, "load.mjs"), `import * as m from "@ringline/client"; ${show}`);
  writeFileSync(join(dir, "load.cjs"), `const m = require("@ringline/client"); ${show}`);
  const exported = ["load.mjs", "load.cjs"].map((file) => JSON.parse(run("node", [file])));
  assert.deepEqual(exported[0], exported[1]);
  for (const name of names) assert.ok(exported[0].includes(name), name);

  const script = "require('@ringline/client/ringline.js'); console.log(Object.keys(globalThis.Ringline).join())";
  assert.match(run("node", ["-e", script]), /init,sendCallInvitation,add,accept/);
  const { version } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  assert.equal(run("node", ["-p", "require('@ringline/client').Ringline.version"]).trim(), version);
  console.log(`packed, installed, type-checked and loaded: ${tarball}`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
