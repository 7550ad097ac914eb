import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { test, type TestContext } from "node:test";
import { FakeEdge } from "./fakeedge.js";
import { FakePhone, load } from "./fakewx.js";
import { token } from "./fakes.js";
import { at, call, callee, push } from "./world.js";

// examples/mini-program as it is, with the parts of WeChat that it uses. WXML is not rendered, but the names in it must
// exist.

const home = resolve("../../examples/mini-program");
type Page = Record<string, unknown> & { data: Record<string, unknown> };

/** WeChat's App, Page and navigation, without views. */
class Host {
  readonly phone = new FakePhone();
  readonly pages: (Page & { route: string })[] = [];
  readonly toasts: string[] = [];
  private readonly modules = new Map<string, { exports: unknown }>();
  private definition: Page | undefined;

  constructor(
    private readonly bundle: string,
    readonly server: string,
  ) {
    Object.assign(this.phone.wx, {
      request: (options: { url: string; success(answer: object): void }) => {
        const user = new URL(options.url).searchParams.get("user_id") ?? "";
        setImmediate(() => options.success({ statusCode: 200, data: { token: token(user) } }));
      },
      navigateTo: ({ url }: { url: string }) => this.open(url),
      navigateBack: () => setImmediate(() => this.back()),
      showToast: ({ title }: { title: string }) => this.toasts.push(title),
      vibrateLong: () => {},
    });
  }

  open(url: string): Page {
    const route = url.replace(/^\//, "");
    this.require(join(home, "page"), `./${route}.js`);
    const defined = this.definition;
    assert.ok(defined, `${route} calls Page`);
    const page = Object.assign(Object.create({ setData: (more: object) => Object.assign(page.data, more) }) as Page, defined, {
      route,
      data: { ...defined.data },
    });
    this.run(this.top, "onHide");
    this.pages.push(page);
    this.run(page, "onShow");
    return page;
  }

  back(): void {
    this.run(this.pages.pop(), "onUnload");
    this.run(this.top, "onShow");
  }

  get top(): (Page & { route: string }) | undefined {
    return this.pages[this.pages.length - 1];
  }

  /** Calls a handler as a view does, with the event that it gets. */
  press(handler: string, dataset: object = {}, value = ""): Promise<void> {
    return Promise.resolve(this.run(this.top, handler, { currentTarget: { dataset }, detail: { value } }) as Promise<void>);
  }

  async until(holds: () => boolean, what: string): Promise<void> {
    for (let i = 0; !holds(); i++) {
      if (i > 500) throw new Error(`waits for ${what}: ${JSON.stringify(this.top?.data)}; ${this.toasts.join(", ")}`);
      await new Promise((done) => setTimeout(done, 10));
    }
  }

  private run(page: Page | undefined, method: string, ...args: unknown[]): unknown {
    return (page?.[method] as ((...args: unknown[]) => unknown) | undefined)?.apply(page, args);
  }

  private require(from: string, path: string): unknown {
    const file = join(dirname(from), path);
    const known = this.modules.get(file);
    if (known && !file.includes("/pages/")) return known.exports;
    const module = { exports: {} as unknown };
    this.modules.set(file, module);
    if (file.endsWith("ringline.mini.js")) return (module.exports = load(this.bundle, this.phone).module);
    const code = readFileSync(file, "utf8").replace(/const server = "[^"]*"/, `const server = ${JSON.stringify(this.server)}`);
    const names = ["module", "exports", "require", "wx", "App", "Page", "getCurrentPages", "fetch", "URL", "WebSocket", "window", "document"];
    const page = (definition: Page): void => void (this.definition = definition);
    const values = [module, module.exports, (p: string) => this.require(file, p), this.phone.wx, () => {}, page, () => this.pages];
    new Function(...names, code)(...values);
    return module.exports;
  }
}

async function host(t: TestContext): Promise<{ h: Host; e: FakeEdge }> {
  const e = await new FakeEdge().start();
  const script = pathToFileURL(resolve("scripts/mini.mjs")).href;
  const { mini } = (await import(script)) as { mini(): Promise<string> };
  const h = new Host(await mini(), e.url);
  t.after(() => e.kill());
  return { h, e };
}

test("log in, an incoming call opens its page, accept, and log out", async (t) => {
  const { h, e } = await host(t);
  h.open("pages/index/index");
  await h.press("onName", {}, " ann ");
  await h.press("logIn");
  assert.equal(h.top?.data.problem, "");
  assert.deepEqual([h.top?.data.userID, h.top?.data.connection], ["ann", "connected"]);

  const requests: string[] = [];
  const rings = call(1, { caller: { user_id: "zoe", user_name: "Zoë", state: "in", at: at(0) }, callees: [callee("ann", { invited_by: "zoe", ring_deadline: at(30) })] });
  const peer = await e.next(1);
  const accepted = { ...rings, seq: 3, state: "active" as const, callees: [callee("ann", { invited_by: "zoe", state: "accepted", device_id: peer.data.device })] };
  e.onRPC = (method) => {
    requests.push(method);
    return Promise.resolve({ ok: true, call: method === "accept" ? accepted : { ...rings, seq: 2 } });
  };
  peer.push(push(rings, { event: "incoming_call_received", ring_remaining_ms: 30_000 }));
  await h.until(() => h.top?.route === "pages/incoming/incoming", "the page");
  const [shown] = h.top?.data.calls as Record<string, unknown>[];
  assert.deepEqual([shown?.caller, shown?.kind], ["Zoë", "video"]);
  const seconds = Number(shown?.seconds);
  assert.ok(seconds > 0 && seconds <= 30, `${seconds} s`);
  await h.press("accept", { id: shown?.callID });
  await h.until(() => h.top?.route === "pages/index/index", "the page to go");
  assert.deepEqual(requests, ["ring", "accept"]);
  const [active] = h.top?.data.calls as Record<string, unknown>[];
  assert.deepEqual([active?.callID, active?.rings, active?.callees], ["c1", false, "ann: accepted"]);
  const lines = (h.top?.data.events as { line: string }[]).map((x) => x.line);
  assert.match(lines[0] ?? "", /^onCallStarted\("c1", "room", {"callType":1,"how":"accepted"}\)/);
  assert.match(lines[1] ?? "", /^onIncomingCallReceived\("c1", /);

  await h.press("logOut");
  assert.equal(h.top?.data.userID, "");
  await h.until(() => h.phone.open.length === 0, "no socket");
});

test("an outgoing call, refused, and one canceled", async (t) => {
  const { h, e } = await host(t);
  h.open("pages/index/index");
  await h.press("onName", {}, "ann");
  await h.press("logIn");
  const sent: unknown[] = [];
  e.onRPC = (method, data) => {
    sent.push([method, (data as { callees?: unknown }).callees]);
    return Promise.resolve({ ok: false, error: { code: "caller_busy", message: "busy" } });
  };
  await h.press("onCallees", {}, "bob, eve");
  await h.press("video");
  assert.deepEqual(sent, [["invite", [{ user_id: "bob" }, { user_id: "eve" }]]]);
  assert.deepEqual(h.toasts, ["You are in a call already"]);
  await h.press("cancel", { id: "c9" });
  assert.equal(h.toasts.length, 2);
  await h.press("logOut");
});

test("every name in the views exists", () => {
  const { pages } = JSON.parse(readFileSync(join(home, "app.json"), "utf8")) as { pages: string[] };
  for (const path of pages) {
    const view = readFileSync(join(home, `${path}.wxml`), "utf8");
    const code = readFileSync(join(home, `${path}.js`), "utf8");
    const data = /data: \{([^}]*)\}/.exec(code)?.[1] ?? "";
    for (const [, handler] of view.matchAll(/bind\w+="(\w+)"/g)) assert.match(code, new RegExp(`\\b(async )?${handler}\\(`), handler);
    for (const [, expression = ""] of view.matchAll(/\{\{(.*?)\}\}/g)) {
      for (const [name] of expression.replace(/'[^']*'/g, "").matchAll(/(?<![.\w])[a-z]\w*/gi)) {
        if (name !== "item") assert.match(data, new RegExp(`\\b${name}:`), name);
      }
    }
    const open = [...view.matchAll(/<(\w+)(?:\s[^>]*?)?(\/?)>/g)].filter((m) => !m[2]).map((m) => m[1]);
    const closed = [...view.matchAll(/<\/(\w+)>/g)].map((m) => m[1]);
    assert.deepEqual(open.sort(), closed.sort());
  }
});
