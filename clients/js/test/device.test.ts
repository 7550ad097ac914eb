import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { systemClock } from "../src/platform/clock.js";
import { acquireDevice, browserStorages, type KeyValues, type Storages } from "../src/session/device.js";

class Memory implements KeyValues {
  values = new Map<string, string>();
  getItem = (key: string) => this.values.get(key) ?? null;
  setItem = (key: string, value: string) => void this.values.set(key, value);
  copy(): Memory {
    const m = new Memory();
    m.values = new Map(this.values);
    return m;
  }
}

function tab(local: Memory, session = new Memory()): { local: Memory; session: Memory } {
  return { local, session };
}

const acquire = (s: Storages, device = "", chosen?: string, userID = "ann", app = "demo") =>
  acquireDevice({ app, userID, device }, chosen, s, systemClock);
const parts = (id: string) => [id.slice(0, id.lastIndexOf(".")), id.slice(id.lastIndexOf(".") + 1)] as const;

/** Web locks as in a browser, without the unused parts. */
class FakeLocks {
  private readonly held = new Map<string, Promise<void>>();

  request = async (name: string, { signal }: { signal: AbortSignal }, use: () => Promise<void>): Promise<void> => {
    while (this.held.has(name)) {
      await Promise.race([
        this.held.get(name),
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted")))),
      ]);
    }
    const using = use();
    this.held.set(name, using);
    void using.then(() => this.held.delete(name));
    await using;
  };
}

const real = Object.getOwnPropertyDescriptor(globalThis, "navigator");

function withNavigator(value: unknown): void {
  Object.defineProperty(globalThis, "navigator", { value, configurable: true });
}

afterEach(() => {
  if (real) Object.defineProperty(globalThis, "navigator", real);
  else Reflect.deleteProperty(globalThis, "navigator");
});

for (const [how, navigator] of [
  ["web locks", () => ({ locks: new FakeLocks() })],
  ["a broadcast channel", () => ({})],
] as const) {
  test(`with ${how}: a reload keeps the id, another tab has another part, a duplicated tab makes a new one`, async () => {
    withNavigator(navigator());
    const local = new Memory();
    const mine = tab(local);
    const first = await acquire(mine);
    const [stable, part] = parts(first.id);
    assert.match(stable, /^[a-z0-9]{25}$/);
    assert.match(part, /^[a-z0-9]{8}$/);

    const other = await acquire(tab(local));
    assert.equal(parts(other.id)[0], stable);
    assert.notEqual(other.id, first.id);

    const copied = tab(local, mine.session.copy());
    const duplicate = await acquire(copied);
    assert.equal(parts(duplicate.id)[0], stable);
    assert.notEqual(duplicate.id, first.id);

    setTimeout(first.release, 50); // the page that reloads releases it a little later
    if (how !== "web locks") await new Promise((resolve) => setTimeout(resolve, 60));
    const reloaded = await acquire(mine);
    assert.equal(reloaded.id, first.id);
    duplicate.release();
    const again = await acquire(copied);
    assert.equal(again.id, duplicate.id, "which the duplicate keeps");
    for (const d of [other, reloaded, again]) d.release();
  });
}

for (const [how, navigator] of [
  ["web locks", () => ({ locks: new FakeLocks() })],
  ["a broadcast channel", () => ({})],
] as const) {
  test(`with ${how}: two users in one page have a part each, and keep it after a reload`, async () => {
    withNavigator(navigator());
    const page = tab(new Memory());
    const all = () => Promise.all([acquire(page), acquire(page, "", undefined, "bob"), acquire(page, "", undefined, "ann", "other")]);
    const before = await all();
    assert.equal(new Set(before.map((d) => d.id)).size, 3);
    for (const d of before) d.release();
    const after = await all();
    assert.deepEqual(after.map((d) => d.id), before.map((d) => d.id));
    for (const d of after) d.release();
  });
}

test("with neither there is still an id", async () => {
  withNavigator(undefined);
  const channel = globalThis.BroadcastChannel;
  Reflect.deleteProperty(globalThis, "BroadcastChannel");
  try {
    const mine = tab(new Memory());
    const first = await acquire(mine);
    assert.equal((await acquire(mine)).id, first.id);
  } finally {
    globalThis.BroadcastChannel = channel;
  }
});

test("the stable part: the token's, else the app's, else a random one; two that differ are refused", async () => {
  const local = new Memory();
  assert.equal(parts((await acquire({}, "of.the.token")).id)[0], "of.the.token");
  assert.equal(parts((await acquire({}, "", "chosen")).id)[0], "chosen");
  assert.equal(parts((await acquire({ local }, "same", "same")).id)[0], "same");
  assert.equal(local.values.size, 0, "a known part is not stored");
  await assert.rejects(acquire({}, "token", "chosen"), /^RinglineError: device: must be the token's, token, got chosen$/);
});

test("without storage there is an id, and nothing stays open", async () => {
  const [a, b] = [await acquire({}), await acquire({})];
  assert.notEqual(parts(a.id)[0], parts(b.id)[0]);
  assert.deepEqual(browserStorages(), {});
});

test("a denied storage counts as none", async () => {
  const denied: KeyValues = {
    getItem() {
      throw new Error("SecurityError");
    },
    setItem() {
      throw new Error("QuotaExceededError");
    },
  };
  const device = await acquire({ local: denied, session: denied });
  assert.match(device.id, /^[a-z0-9]{25}\.[a-z0-9]{8}$/);
  device.release();
  Object.defineProperty(globalThis, "localStorage", {
    configurable: true,
    get() {
      throw new Error("SecurityError");
    },
  });
  assert.deepEqual(browserStorages(), {});
  Reflect.deleteProperty(globalThis, "localStorage");
});
