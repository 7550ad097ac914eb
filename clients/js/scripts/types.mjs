// Merges the declaration files that tsc writes for src/ into one: the exports of src/index.ts and all that they use. It
// imports nothing, so it serves both ESM (index.d.mts) and CommonJS (index.d.cts). No public type uses
// src/wire/messages.ts, and some of its names are also public names.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, rmSync } from "node:fs";

/** Returns the text of the declaration file. */
export function types() {
  rmSync("build/types", { recursive: true, force: true });
  execFileSync("node_modules/.bin/tsc", ["-p", "tsconfig.types.json"], { stdio: "inherit" });
  const declared = new Map();
  const files = readdirSync("build/types", { recursive: true })
    .filter((f) => f.endsWith(".d.ts") && f !== "index.d.ts" && f !== "wire/messages.d.ts")
    .sort();
  for (const file of files) {
    for (const { names, text } of statements(readFileSync(`build/types/${file}`, "utf8"))) {
      for (const name of names) declared.set(name, [...(declared.get(name) ?? []), { file, text }]);
    }
  }
  const exported = [...readFileSync("build/types/index.d.ts", "utf8").matchAll(/\{([^}]*)\}/g)]
    .flatMap((m) => m[1].split(","))
    .map((name) => name.trim())
    .filter(Boolean);
  const wanted = new Set(exported);
  for (const name of wanted) {
    const found = declared.get(name) ?? [];
    if (new Set(found.map((d) => d.file)).size !== 1) throw new Error(`${name} is declared in ${found.length} files`);
    for (const word of found.flatMap((d) => code(d.text).match(/[A-Za-z_]\w*/g) ?? [])) {
      if (declared.has(word)) wanted.add(word);
    }
  }
  const body = files.flatMap((file) =>
    [...wanted].flatMap((name) => declared.get(name).filter((d) => d.file === file).map((d) => d.text)),
  );
  return `${body.map((text) => text.replace(/^export /m, "")).join("\n")}\n\nexport { ${exported.sort().join(", ")} };\n`;
}

/** The statements of a file with the names that they declare, each with the preceding comment. */
function statements(source) {
  const list = [];
  let current = [];
  for (const line of source.split("\n")) {
    current.push(line);
    const ends = /^[^\s/*}].*(;|\{\})$|^\}(.*;)?$/.test(line);
    if (!ends) continue;
    const text = current.join("\n").trim();
    current = [];
    const name = /^(?:export )?(?:declare )?(?:abstract )?(?:interface|type|class|const|function) (\w+)/m.exec(text);
    if (name) list.push({ names: [name[1]], text });
    else if (!/^(import|export \{)/m.test(text)) throw new Error(`unknown kind of declaration:\n${text}`);
  }
  return list;
}

function code(text) {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/"[^"]*"/g, "");
}
