import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./until.mjs";

const running = new Set();
const folders = new Set();

// However this process ends, it leaves nothing behind.
process.once("exit", () => {
  for (const program of running) program.child.kill("SIGKILL");
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

/** A folder that is deleted with this process. */
export function throwaway() {
  const folder = mkdtempSync(join(tmpdir(), "ringline-browser-"));
  folders.add(folder);
  return folder;
}

/** The environment without the settings of another Ringline. */
function environment(more) {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("RINGLINE_"));
  return { ...Object.fromEntries(own), ...more };
}

/** A child process and its output. */
export class Program {
  /** All of its output. */
  output = "";
  /** Its exit code or signal, once it has ended. */
  over = undefined;
  #wanted = false; // whether its end is expected
  #read = 0; // position in the output

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

  /** Waits until the output matches the pattern, and returns the groups. */
  async prints(pattern) {
    const message = () => `${this.name} prints ${pattern}, but: ${this.output || "nothing"}`;
    return until(message, () => {
      const match = pattern.exec(this.output);
      if (!match && this.over !== undefined) throw new Error(`${this.name} ended (${this.over}): ${this.output}`);
      return match;
    });
  }

  /** Suspends it until `thaw`. It still receives data but does nothing with it. */
  async freeze() {
    this.child.kill("SIGSTOP");
    const tasks = `/proc/${this.child.pid}/task`;
    const stopped = (task) => / T /.test(readFileSync(`${tasks}/${task}/stat`, "utf8").replace(/^.*\)/, ""));
    await until(`${this.name} stops`, () => readdirSync(tasks).every(stopped)); // this takes a while on a busy machine
  }

  thaw() {
    this.child.kill("SIGCONT");
  }

  /** Kills it at once, as the kernel does when memory runs out. */
  async kill() {
    this.#wanted = true;
    this.child.kill("SIGKILL");
    await this.ended;
  }

  /** Its unexpected errors since the last call. */
  takeProblems() {
    const output = this.output.slice(this.#read);
    this.#read = this.output.length;
    const problems = output.match(/^.*("level":"error"|panic:|DATA RACE).*$/gm) ?? [];
    if (this.over !== undefined && !this.#wanted) problems.push(`ended (${this.over}): ${this.output.slice(-2000)}`);
    this.#wanted ||= this.over !== undefined;
    return problems.map((what) => `${this.name}: ${what}`);
  }
}

/** Runs a program to its end and returns its output. */
export async function run(file, args, env) {
  const program = new Program([file, ...args].join(" "), file, args, env);
  const timer = setTimeout(() => program.kill(), 300_000);
  const code = await program.ended;
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${program.name}: ${code}\n${program.output}`);
  return program.output;
}
