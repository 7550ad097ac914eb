import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./program.mjs";

const repo = fileURLToPath(new URL("../../../..", import.meta.url));

/** Builds the binaries that RINGLINE_BIN and NATS_BIN don't name, into that folder. */
export async function build(folder) {
  const programs = {
    ringline: { named: process.env.RINGLINE_BIN, of: "./cmd/ringline" },
    "nats-server": { named: process.env.NATS_BIN, of: "github.com/nats-io/nats-server/v2" },
  };
  const missing = Object.values(programs).filter((p) => !p.named);
  if (missing.length > 0) await run("go", ["build", "-C", repo, "-o", folder + "/", ...missing.map((p) => p.of)]);
  const path = (name) => programs[name].named ?? join(folder, name);
  return { ringline: path("ringline"), nats: path("nats-server") };
}
