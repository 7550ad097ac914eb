// Builds the Vite recipe of docs/client.md with the packed client: node test/vite.mjs. Vite is pinned in test/vite.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const home = process.cwd();
const dir = mkdtempSync(join(tmpdir(), "ringline-vite-"));
const run = (command, args, { cwd = dir, env = process.env } = {}) =>
  execFileSync(command, args, { cwd, env, stdio: ["ignore", "pipe", "inherit"] }).toString();

/** The files of the recipe. The first line of each names it. */
function filesOf(page) {
  const section = /^### With Vite$(.*?)^##/ms.exec(page)?.[1] ?? "";
  const blocks = [...section.matchAll(/^```(?:ts|sh|html)\n(?:\/\/|#|<!--) (\S+)\n(.*?)^```$/gms)];
  return new Map(blocks.map(([, name, text]) => [name, text]));
}

try {
  run("npm", ["pack", "--silent", "--pack-destination", dir], { cwd: home });
  const tarball = readdirSync(dir).find((f) => f.endsWith(".tgz"));
  cpSync("test/vite", dir, { recursive: true, filter: (path) => !path.includes("node_modules") });
  run("npm", ["ci", "--silent", "--no-audit", "--no-fund"]);
  mkdirSync(join(dir, "node_modules/@ringline/client"), { recursive: true });
  run("tar", ["-xzf", tarball, "--strip-components=1", "-C", "node_modules/@ringline/client"]);

  const files = filesOf(readFileSync("../../docs/client.md", "utf8"));
  assert.deepEqual([...files.keys()], [".env.local", "src/calls.ts", "src/main.ts"]);
  files.set("index.html", '<!doctype html><script type="module" src="/src/main.ts"></script>');
  for (const [name, text] of files) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  const options = ["--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler", "--lib", "es2022,dom", "--types", "vite/client", "--noEmit"];
  run(resolve(home, "node_modules/.bin/tsc"), [...options, "src/main.ts"]);

  const output = () => {
    const folder = join(dir, "dist/assets");
    return readdirSync(folder).map((f) => readFileSync(join(folder, f), "utf8")).join("\n");
  };
  run("npx", ["vite", "build", "--logLevel", "warn"]);
  assert.match(output(), /http:\/\/127\.0\.0\.1:8080\/\?key=/, "the URL of .env.local");
  run("npx", ["vite", "build", "--logLevel", "warn"], { env: { ...process.env, VITE_RINGLINE_URL: "https://calls.example.com" } });
  assert.match(output(), /https:\/\/calls\.example\.com/);
  assert.doesNotMatch(output(), /127\.0\.0\.1:8080/);
  console.log("the Vite recipe is type-checked and built");
} finally {
  rmSync(dir, { recursive: true, force: true });
}
