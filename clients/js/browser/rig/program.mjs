import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.mjs";

const running = new Set();
const folders = new Set();

// Whatever becomes of this process, nothing of it stays.
process.once("exit", () => {
  for (const program of running) program.child.kill("SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

/** A folder that goes with this process. */
export function throwaway() {
  const folder = mkdtempSync(join(tmpdir(), "ringline-browser-"));
  folders.add(folder);
  return folder;
}

/** The environment without what is set for another Ringline. */
function environment(more) {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("RINGLINE_"));
  return { ...Object.fromEntries(own), ...more };
}

/** A process of ours, with what it said. */
export class Program {
  /** All that it printed. */
  output = "";
  /** Its exit code or signal, once it is over. */
  over = undefined;
  #wanted = false; // that it ends
  #read = 0; // of the output

  constructor(name, file, args, env = {}) {
    this.name = name;
    this.child = spawn(file, args, { env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
    running.add(this);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => (this.output += text));
    }
    this.ended = new Promise((resolve) => {
      const end = (how) => {
        this.over ??= how;
        running.delete(this);
        resolve(this.over);
      };
      this.child.once("error", (error) => end(error.message)).once("close", (code, signal) => end(signal ?? code));
    });
  }

  /** Waits until it has printed what matches, and gives the groups. */
  async says(pattern) {
    const told = () => `${this.name} says ${pattern}, but: ${this.output || "nothing"}`;
    return until(told, () => {
      const match = pattern.exec(this.output);
      if (!match && this.over !== undefined) throw new Error(`${this.name} ended (${this.over}): ${this.output}`);
      return match;
    });
  }

  /** Stops it where it is, until `thaw`: it takes what it is sent, and does nothing with it. */
  async freeze() {
    this.child.kill("SIGSTOP");
    const tasks = `/proc/${this.child.pid}/task`;
    const stopped = (task) => / T /.test(readFileSync(`${tasks}/${task}/stat`, "utf8").replace(/^.*\)/, ""));
    await until(`${this.name} stops`, () => readdirSync(tasks).every(stopped)); // on a busy machine that takes a while
  }

  thaw() {
    this.child.kill("SIGCONT");
  }

  /** Ends it at once, as the kernel does when memory runs out. */
  async kill() {
    this.#wanted = true;
    this.child.kill("SIGKILL");
    await this.ended;
  }

  /** What went wrong with it since this was last asked. */
  takeTroubles() {
    const said = this.output.slice(this.#read);
    this.#read = this.output.length;
    const troubles = said.match(/^.*("level":"error"|panic:|DATA RACE).*$/gm) ?? [];
    if (this.over !== undefined && !this.#wanted) troubles.push(`ended (${this.over}): ${this.output.slice(-2000)}`);
    this.#wanted ||= this.over !== undefined;
    return troubles.map((what) => `${this.name}: ${what}`);
  }
}

/** Runs a program to its end, and gives what it printed. */
export async function run(file, args, env) {
  const program = new Program([file, ...args].join(" "), file, args, env);
  const timer = setTimeout(() => program.kill(), 300_000);
  const code = await program.ended;
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${program.name}: ${code}\n${program.output}`);
  return program.output;
}
