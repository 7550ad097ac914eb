import type { TestContext } from "node:test";
import WebSocket from "ws";
import type { RinglineError } from "../src/api/error.js";
import { systemClock } from "../src/platform/clock.js";
import { transports, type Transport } from "../src/session/rotation.js";
import { CentrifugeSession, type SessionOptions } from "../src/session/session.js";
import { Tokens, type GetToken } from "../src/session/tokens.js";
import { FakeEdge } from "./fakeedge.js";
import { token } from "./fakes.js";

/** How a session is opened. The other options are those of the session. */
interface Setup extends Partial<SessionOptions> {
  edges: FakeEdge[];
  by?: readonly Transport[];
  first?: string;
  getToken?: GetToken;
  onError?: () => void;
  onDown?: () => void;
  /** The device ids that it gets, one after another. */
  devices?: string[];
}

/** Opens a session and records what its listener receives. */
export function open(t: TestContext, { edges, by = transports, first = token("ann"), getToken, onError, onDown, devices = ["d.1"], ...more }: Setup) {
  const received: string[] = [];
  const pushes: unknown[] = [];
  const showing: string[] = [];
  let wake = (): void => {};
  const record = (what: string) => (received.push(what), wake());
  const session = new CentrifugeSession(
    {
      servers: edges.map((e) => e.url),
      transports: by,
      tokens: new Tokens(first, getToken, systemClock),
      clock: systemClock,
      webSocket: WebSocket,
      fetch,
      networkEventTarget: undefined,
      connectTimeout: 15_000,
      ...more,
    },
    {
      connectData: () => ({ device: devices[0], showing: [...showing] }),
      onOpen: (data) => record(`open ${(data as { device_id: string }).device_id}`),
      onPush: (data) => (pushes.push(data), wake()),
      onDown: (refused?: RinglineError) => (record(refused ? `refused ${refused.code}: ${refused.message}` : "down"), onDown?.()),
      onError: (error) => (record(`error ${error.message}`), onError?.()),
      onAway: (away) => record(away ? "away" : "back"),
      newDevice: async () => void devices.shift(),
    },
  );
  const until = async (holds: () => boolean) => {
    const timeout = setTimeout(() => wake(), 60_000);
    const by = Date.now() + 60_000;
    while (!holds()) {
      if (Date.now() >= by) throw new Error(`received only ${received.join(", ")}`);
      await new Promise<void>((resolve) => (wake = resolve));
    }
    clearTimeout(timeout);
  };
  t.after(() => session.close());
  session.open();
  return { session, received, pushes, showing, until, receives: (what: string) => until(() => received.some((h) => h.startsWith(what))) };
}

export async function edge(t: TestContext): Promise<FakeEdge> {
  const e = await new FakeEdge().start();
  t.after(() => e.kill().catch(() => {}));
  return e;
}
