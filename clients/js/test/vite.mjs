// Builds the Vite and React recipes of docs/client.md with the packed client, and runs the React hook: node test/vite.mjs.
// Vite and React are pinned in test/vite.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { build } from "esbuild";

const home = process.cwd();
const dir = mkdtempSync(join(tmpdir(), "ringline-vite-"));
const run = (command, args, { cwd = dir, env = process.env } = {}) =>
  execFileSync(command, args, { cwd, env, stdio: ["ignore", "pipe", "inherit"] }).toString();

/** The files of a recipe. The first line of each names it. */
function filesOf(page, title) {
  const section = new RegExp(`^### ${title}$(.*?)^##`, "ms").exec(page)?.[1] ?? "";
  const blocks = [...section.matchAll(/^```(?:tsx?|sh|html)\n(?:\/\/|#|<!--) (\S+)[^\n]*\n(.*?)^```$/gms)];
  return new Map(blocks.map(([, name, text]) => [name, text]));
}

function write(files) {
  for (const [name, text] of files) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
}

function typeCheck(file) {
  const options = ["--strict", "--jsx", "react-jsx", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler", "--lib", "es2022,dom"];
  run(resolve(home, "node_modules/.bin/tsc"), [...options, "--types", "vite/client", "--noEmit", "--ignoreConfig", file]);
}

/** Builds the page and returns its scripts. */
function viteBuild(env = {}, mode = "production") {
  run("npx", ["vite", "build", "--logLevel", "warn", "--mode", mode], { env: { ...process.env, ...env } });
  const folder = join(dir, "dist/assets");
  return readdirSync(folder).map((f) => readFileSync(join(folder, f), "utf8")).join("\n");
}

/** Bundles test/vite/hook.mjs with the recipe, except for its way to the server and to a token, and runs it. */
async function runHook() {
  const connect = `
    import { Ringline } from "@ringline/client";
    import WebSocket from "ws";
    import { token } from "fakes";
    export const connect = (userID, callbacks) =>
      Ringline.init("demo", edgeURL, userID, userID, token(userID), { webSocket: WebSocket, storage: null, ui: false }, callbacks);`;
  const test = (name) => resolve(home, `test/${name}.ts`);
  await build({
    entryPoints: [join(dir, "hook.mjs")],
    outfile: join(dir, "hook.bundle.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    define: { "process.env.NODE_ENV": '"development"' },
    jsx: "automatic",
    logLevel: "warning",
    alias: { fakeedge: test("fakeedge"), fakes: test("fakes"), world: test("world"), ws: resolve(home, "node_modules/ws/wrapper.mjs") },
    plugins: [
      {
        name: "calls",
        setup(b) {
          b.onLoad({ filter: /\/src\/calls\.ts$/, namespace: "file" }, () => ({ contents: connect, loader: "js", resolveDir: dir }));
        },
      },
    ],
  });
  console.log(run(process.execPath, ["hook.bundle.mjs"]).trim());
}

try {
  run("npm", ["pack", "--silent", "--pack-destination", dir], { cwd: home });
  const tarball = readdirSync(dir).find((f) => f.endsWith(".tgz"));
  cpSync("test/vite", dir, { recursive: true, filter: (path) => !path.includes("node_modules") });
  run("npm", ["ci", "--silent", "--no-audit", "--no-fund"]);
  mkdirSync(join(dir, "node_modules/@ringline/client"), { recursive: true });
  run("tar", ["-xzf", tarball, "--strip-components=1", "-C", "node_modules/@ringline/client"]);

  const page = readFileSync("../../docs/client.md", "utf8");
  const files = filesOf(page, "With Vite");
  assert.deepEqual([...files.keys()], [".env.development.local", "src/calls.ts", "src/main.ts", "index.html"]);
  write(files);
  typeCheck("src/main.ts");
  assert.match(viteBuild({ NODE_ENV: "development" }, "development"), /http:\/\/127\.0\.0\.1:8080\/\?key=/, "the URL of .env.development.local");
  const production = viteBuild({ VITE_RINGLINE_URL: "https://calls.example.com" });
  assert.match(production, /https:\/\/calls\.example\.com/);
  assert.doesNotMatch(production, /127\.0\.0\.1:8080/);

  const react = filesOf(page, "With React");
  assert.deepEqual([...react.keys()], ["src/useRingline.ts", "src/media.ts", "src/App.tsx", "src/main.tsx"]);
  react.set("index.html", '<!doctype html><div id="root"></div><script type="module" src="/src/main.tsx"></script>');
  write(react.set("tsconfig.json", '{ "compilerOptions": { "jsx": "react-jsx" } }'));
  typeCheck("src/main.tsx");
  assert.match(viteBuild({ VITE_RINGLINE_URL: "https://calls.example.com" }), /Call /);
  await runHook();
  console.log("the Vite and React recipes are type-checked and built");
} finally {
  rmSync(dir, { recursive: true, force: true });
}
