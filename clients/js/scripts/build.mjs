// Builds dist: node scripts/build.mjs. With --check it only compares the committed dist/ringline.js with a new build,
// and fails if they differ.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { mini, miniTypes } from "./mini.mjs";
import { types } from "./types.mjs";

const { version } = JSON.parse(readFileSync("package.json", "utf8"));

// Each bundle contains centrifuge-js and its dependencies, and so their licenses too.
const taken = ["centrifuge", "events"].map((name) => {
  const theirs = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  return `${name} ${theirs.version}, ${theirs.license}:\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim()}`;
});
const banner = `/*! Ringline client ${version}, Apache-2.0. Contains centrifuge-js; its license is at the end. */`;
const footer = `/*!\nThis file contains\n\n${taken.join("\n\n")}\n*/`;

const common = {
  bundle: true,
  write: false,
  target: "es2020",
  mainFields: ["module", "main"],
  charset: "utf8",
  banner: { js: banner },
  footer: { js: footer },
  logLevel: "warning",
};

async function bundle(entry, options) {
  const { outputFiles } = await build({ ...common, entryPoints: [entry], ...options });
  return outputFiles[0].contents;
}

const script = await bundle("src/browser.ts", { format: "iife", platform: "browser", minify: true });

if (process.argv.includes("--check")) {
  if (!Buffer.from(script).equals(readFileSync("dist/ringline.js"))) {
    console.error("dist/ringline.js is not what src/ makes: run npm run build in clients/js and commit it");
    process.exit(1);
  }
} else {
  const declarations = types();
  rmSync("dist", { recursive: true, force: true });
  mkdirSync("dist");
  writeFileSync("dist/ringline.js", script);
  writeFileSync("dist/index.mjs", await bundle("src/index.ts", { format: "esm", platform: "neutral" }));
  writeFileSync("dist/index.cjs", await bundle("src/index.ts", { format: "cjs", platform: "neutral" }));
  writeFileSync("dist/index.d.mts", declarations);
  writeFileSync("dist/index.d.cts", declarations);
  writeFileSync("dist/ringline.mini.js", await mini({ banner: common.banner, footer: common.footer }));
  writeFileSync("dist/ringline.mini.d.ts", miniTypes);
}
