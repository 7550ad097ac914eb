// Mini-programs that call each other through a real edge. Without an argument it builds `ringline` and starts `ringline
// dev` on free ports: npm run mini:test ['http://127.0.0.1:8080/?key=…']
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createServer } from "node:net";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FakePhone, plain } from "./fakewx.js";
import { MiniPhone } from "./miniphone.js";

const code = readFileSync("build/mini/ringline.mini.js", "utf8");
const began = Date.now();
const { origin: server, search: key } = new URL(process.argv[2] ?? (await start()));
console.log(`an edge after ${Date.now() - began} ms`);
const ready = Date.now();
const within = setTimeout(() => {
  console.error("not done within 5 min");
  process.exit(1);
}, 300_000);

const [ann, bob, eve] = await Promise.all(["ann", "bob", "eve"].map(async (id) => ({ id, p: await mini(id) })));
assert.ok(ann && bob && eve);
const person = (id: string) => ({ userID: id, userName: id.toUpperCase() });

// A call: every callback with its arguments, on both sides.
{
  const invited = Date.now();
  const made = plain(await ann.p.kit.sendCallInvitation({ callees: [{ userID: "bob", userName: "BOB" }], callType: 1, customData: "grüezi", timeout: 30 }));
  const { callID } = made;
  assert.deepEqual(made, { code: 0, callID, roomID: callID, timeout: 30, state: "ringing", errorUserList: [], customData: "grüezi" });
  await bob.p.receives(`onIncomingCallReceived(${json(callID, person("ann"), 1, [person("bob")], "grüezi")})`);
  await ann.p.receives(`onOutgoingCallRinging(${json(callID, "bob")})`);
  const left = bob.p.kit.getCalls()[0]?.ringRemaining() ?? 0;
  assert.ok(left > 29_000 - (Date.now() - invited) && left <= 30_000, `${left} ms left`);
  await bob.p.kit.accept();
  await ann.p.receives(`onOutgoingCallAccepted(${json(callID, "bob")})`);
  await ann.p.kit.end();
  const ended = `onCallEnded(${json(callID, callID, { reason: "completed", by: by(ann.p, "ann") })})`;
  await ann.p.receives(ended);
  await bob.p.until(() => bob.p.received.some((h) => h.startsWith(`onCallEnded("${callID}", "${callID}", {"reason":"completed"`)), "the end");
  const started = (how: string): string => `onCallStarted(${json(callID, callID, { callType: 1, how })})`;
  assert.deepEqual(ann.p.calls, [`onOutgoingCallRinging(${json(callID, "bob")})`, `onOutgoingCallAccepted(${json(callID, "bob")})`, started("answered"), ended]);
  assert.equal(bob.p.calls.length, 3);
  assert.equal(bob.p.calls[1], started("accepted"));
  done("call, accept, end");
}

// A group: one callee declines, one accepts, and one is busy in another call.
{
  const { callID } = await ann.p.kit.sendCallInvitation({ callees: [{ userID: "bob" }, { userID: "eve" }], callType: 0 });
  for (const x of [bob, eve]) await x.p.until(() => x.p.received.some((h) => h.startsWith(`onIncomingCallReceived("${callID}"`)), "the call");
  await bob.p.kit.accept(callID);
  await eve.p.kit.decline(callID, { customData: "später" });
  await ann.p.receives(`onOutgoingCallAccepted(${json(callID, "bob")})`);
  await ann.p.receives(`onOutgoingCallDeclined(${json(callID, "eve")})`);
  const busy = plain(await eve.p.kit.sendCallInvitation({ callees: [{ userID: "bob" }], callType: 0, customData: "?" }));
  assert.deepEqual(busy.errorUserList, [{ userID: "bob", reason: "line_busy" }]);
  await eve.p.receives(`onOutgoingCallRejectedCauseBusy(${json(busy.callID, "bob", "?")})`);
  await eve.p.receives(`onCallEnded(${json(busy.callID, busy.callID, { reason: "busy", by: by(eve.p, "eve") })})`);
  await ann.p.kit.leave(callID);
  await bob.p.until(() => bob.p.received.some((h) => h.startsWith(`onCallEnded("${callID}"`)), "the end");
  done("group, decline, busy");
}

// In the background, which closes the socket with 1000, while it rings and the caller gives up: the callee receives it
// once the app is shown.
{
  const { callID } = await ann.p.kit.sendCallInvitation({ callees: [{ userID: "bob" }], callType: 1 });
  await ann.p.receives(`onOutgoingCallRinging(${json(callID, "bob")})`);
  bob.p.phone.hide();
  await ann.p.kit.cancel(callID, { customData: "never mind" });
  await ann.p.until(() => ann.p.received.some((h) => h.startsWith(`onCallEnded("${callID}"`)), "the end");
  bob.p.phone.show();
  await bob.p.receives(`onIncomingCallCanceled(${json(callID, person("ann"), "never mind")})`);
  await bob.p.until(() => bob.p.received.some((h) => h.startsWith(`onCallEnded("${callID}", "${callID}", {"reason":"canceled"`)), "the end");
  done("background, shown, snapshot");
}

// Called while in the background: it rings once the app is shown, for the remaining ring time.
{
  bob.p.phone.hide();
  const invited = Date.now();
  const { callID } = await ann.p.kit.sendCallInvitation({ callees: [{ userID: "bob" }], callType: 1, timeout: 20 });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.equal(ann.p.received.includes(`onOutgoingCallRinging(${json(callID, "bob")})`), false, "no ringing in the background");
  bob.p.phone.show();
  await ann.p.receives(`onOutgoingCallRinging(${json(callID, "bob")})`);
  const left = bob.p.kit.getCalls()[0]?.ringRemaining() ?? 0;
  assert.ok(left > 19_000 - (Date.now() - invited) && left < 18_800, `${left} ms left`);

  // Bob accepts without a network. The command is sent exactly once, when there is one.
  bob.p.phone.network(false);
  const accepted = bob.p.kit.accept(callID);
  await new Promise((resolve) => setTimeout(resolve, 300));
  bob.p.phone.network(true);
  await accepted;
  await ann.p.receives(`onOutgoingCallAccepted(${json(callID, "bob")})`);
  done("rings when it is shown, accept over a network that comes back");

  // The app is killed and opened again: the same device, still in the call.
  const device = bob.p.kit.getLocalUser()?.deviceID;
  bob.p.kit.unInit();
  await bob.p.until(() => bob.p.phone.open.length === 0, "the socket to close");
  const again = await mini("bob", bob.p.phone);
  assert.equal(again.kit.getLocalUser()?.deviceID, device);
  assert.deepEqual(plain(again.kit.getCalls().map((c) => [c.callID, c.phase])), [[callID, "active"]]);
  await again.kit.leave();
  await ann.p.until(() => ann.p.received.some((h) => h.startsWith(`onCallEnded("${callID}"`)), "the end");
  finish(again);
  done("killed and opened again");
}

// Permanent refusals.
{
  const p = new MiniPhone(code);
  const forged = (await token("zoe")).replace(/.{8}$/, "AAAAAAAA");
  const error = await p.init(server, "zoe", forged).then(
    () => undefined,
    (e: unknown) => e as { code: string },
  );
  assert.equal(error?.code, "permission_denied");
  await p.until(() => p.phone.open.length === 0, "no socket");
  assert.equal(p.phone.timers.size, 0);
  done("a forged token");
}

for (const { p } of [ann, bob, eve]) {
  p.kit.unInit();
  await p.until(() => p.phone.open.length === 0, "the socket to close");
  finish(p);
}
clearTimeout(within);
console.log(`ok, in ${Date.now() - ready} ms`);
process.exit();

function finish(p: MiniPhone): void {
  p.kit.unInit();
  assert.deepEqual(p.touched, [], "no global that a mini-program lacks");
  assert.deepEqual(p.calls, [...new Set(p.calls)], "no callback twice");
  assert.deepEqual(p.received.filter((h) => h.startsWith("onError")), []);
  assert.equal(p.phone.maxOpen, 1, "one socket");
}

async function mini(id: string, phone?: FakePhone): Promise<MiniPhone> {
  const p = new MiniPhone(code, phone);
  await p.init(server, id, await token(id));
  return p;
}

function json(...args: unknown[]): string {
  return args.map((a) => JSON.stringify(a)).join(", ");
}

function by(p: MiniPhone, userID: string): object {
  return { kind: "user", userID, deviceID: p.kit.getLocalUser()?.deviceID };
}

function done(what: string): void {
  console.log(`${what}: ok`);
}

async function token(user: string): Promise<string> {
  const response = await fetch(`${server}/dev/token${key}&user_id=${user}&user_name=${user.toUpperCase()}`);
  return ((await response.json()) as { token: string }).token;
}

async function start(): Promise<string> {
  const { RINGLINE_BIN, ...env } = process.env; // it refuses RINGLINE_ variables that are not settings
  const dir = mkdtempSync(join(tmpdir(), "ringline-mini-"));
  const bin = RINGLINE_BIN ?? join(dir, "ringline");
  if (!RINGLINE_BIN) execFileSync("go", ["build", "-o", bin, "./cmd/ringline"], { cwd: "../..", stdio: ["ignore", "ignore", "inherit"], timeout: 300_000 });
  const port = await new Promise<number>((resolve) => {
    const s = createServer().listen(0, "127.0.0.1", () => {
      const address = s.address();
      s.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
  const child = spawn(bin, ["dev", "--memory", "--port", "0", "--http", `127.0.0.1:${port}`], { env, cwd: dir, stdio: ["ignore", "pipe", "ignore"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (printed += text));
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
  process.on("exit", () => {
    child.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  });
  const address = `http://127.0.0.1:${port}`;
  for (let i = 0; ; i++) {
    const ready = await fetch(`${address}/readyz`).then((r) => r.ok, () => false);
    const [url] = printed.match(/http:\S+\?key=\w+/) ?? [];
    if (ready && url) return url;
    if (i > 300 || child.exitCode !== null) throw new Error("ringline dev does not become ready");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
