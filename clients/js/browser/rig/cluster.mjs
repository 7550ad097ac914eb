import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Program, run } from "./program.mjs";
import { minter } from "./tokens.mjs";
import { until } from "./until.mjs";

export const app = "demo";

/** NATS, a coordinator, a timeouts worker and two edges, one process each, and an app with a secret. */
export class Cluster {
  /** The running edges. */
  edges = [];
  #programs = [];

  constructor(bin, folder) {
    this.bin = bin;
    this.folder = folder;
  }

  /** `origins` are the origins of pages that may connect. */
  async start(origins) {
    await this.#startNATS();
    await this.ringline("setup");
    await this.ringline("app", "set", app, ...origins.flatMap((origin) => ["--origin", origin]));
    const [, kid, secret] = /key (\S+) .*\nsecret  (\S+)/.exec(await this.ringline("app", "key", "add", app, "--hs256"));
    this.mint = minter(app, kid, secret);
    [this.coordinator, this.timeouts, ...this.edges] = await Promise.all(
      ["coordinator", "timeouts", "edge", "edge"].map((role) => this.worker(role)),
    );
  }

  async #startNATS() {
    const ports = join(this.folder, "ports");
    mkdirSync(ports);
    const any = ["-a", "127.0.0.1", "-p", "-1", "-m", "-1"];
    const args = ["-js", ...any, "--ports_file_dir", ports, "-sd", join(this.folder, "nats")];
    const nats = this.#add(new Program("nats-server", this.bin.nats, args));
    await nats.prints(/Server is ready/);
    const written = await until("the ports of nats-server", () => {
      const file = readdirSync(ports).find((name) => name.endsWith(".ports"));
      const text = file && readFileSync(join(ports, file), "utf8");
      return text && JSON.parse(text);
    });
    this.env = { RINGLINE_NATS_URL: written.nats[0] };
    this.monitoring = written.monitoring[0];
  }

  #add(program) {
    this.#programs.push(program);
    return program;
  }

  /** Runs a ringline command to its end. */
  ringline(...args) {
    return run(this.bin.ringline, args, this.env);
  }

  /** Starts a worker and waits until it is ready. Its address is in `url`. */
  async worker(role) {
    const worker = this.#add(new Program(role, this.bin.ringline, [role, "--http", "127.0.0.1:0"], this.env));
    worker.url = `http://${(await worker.prints(/"address":"([^"]+)"/))[1]}`;
    await until(`${role} is ready`, async () => {
      if (worker.over !== undefined) throw new Error(`${role} ended: ${worker.output}`);
      return (await fetch(`${worker.url}/readyz`)).ok;
    });
    return worker;
  }

  /** Restarts everything that a scenario has stopped or killed. */
  async restore() {
    this.timeouts.thaw();
    this.coordinator.thaw();
    if (this.coordinator.over !== undefined) this.coordinator = await this.worker("coordinator");
    this.edges = this.edges.filter((edge) => edge.over === undefined);
    for (const edge of this.edges) edge.thaw();
    while (this.edges.length < 2) this.edges.push(await this.worker("edge"));
  }

  /** The number of messages that a stream has stored so far. */
  async stored(stream) {
    const { account_details } = await (await fetch(`${this.monitoring}/jsz?streams=true`)).json();
    return account_details.flatMap((a) => a.stream_detail).find((s) => s.name === stream).state.last_seq;
  }

  /** The unexpected errors since the last call. */
  takeProblems() {
    return this.#programs.flatMap((p) => p.takeProblems());
  }

  async stop() {
    await Promise.all(this.#programs.map((p) => p.kill()));
  }
}
