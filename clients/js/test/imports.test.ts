import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { posix } from "node:path";
import { test } from "node:test";

// The rooms of src/, in order. A file imports only from its own room and from rooms above it, types included.
const rooms = [
  "platform", // clock and random numbers
  "api", // errors and callbacks: the words of the package
  "wire", // the messages of a session
  "calls", // what a message means for this device, as pure functions
  "session", // the connection, its tokens and its device id
  "client", // RinglineClient
  "ui", // the elements
  "kit", // Ringline.init and what follows
  "mini", // the kit for mini-programs
  ".", // the entry points of the bundles
];

type Graph = ReadonlyMap<string, readonly string[]>;

const graph: Graph = new Map(
  readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => [file, importsOf(file)]),
);

function importsOf(file: string): string[] {
  const text = readFileSync(`src/${file}`, "utf8");
  return [...text.matchAll(/\b(?:from|import) ?\(?"(\.[^"]+)\.js"/g)].map(([, path]) => posix.join(posix.dirname(file), `${path}.ts`));
}

function room(file: string): number {
  return rooms.indexOf(posix.dirname(file));
}

/** Returns the files of a cycle, if there is one. */
function cycle(graph: Graph): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of graph.get(file) ?? []) {
      const found = visit(next, [...path, file]);
      if (found) return found;
    }
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const found = visit(file, []);
    if (found) return found;
  }
  return undefined;
}

test("every file of src is in a room, and every import is a file", () => {
  assert.deepEqual([...graph.keys()].filter((file) => room(file) < 0), []);
  assert.deepEqual([...graph.values()].flat().filter((file) => !graph.has(file)), []);
});

test("imports point from a room to itself or to a room above it", () => {
  const wrong = [...graph].flatMap(([file, imports]) => imports.filter((to) => room(to) > room(file)).map((to) => `${file} imports ${to}`));
  assert.deepEqual(wrong, []);
});

test("no files import each other in a cycle", () => {
  assert.equal(cycle(graph)?.join(" → "), undefined);
});

test("a cycle is found, and a file that two others import is none", () => {
  assert.deepEqual(cycle(new Map([["a", ["b"]], ["b", ["c"]], ["c", ["b", "d"]], ["d", []]])), ["b", "c", "b"]);
  assert.equal(cycle(new Map([["a", ["b", "c"]], ["b", ["c"]], ["c", []]])), undefined);
});
