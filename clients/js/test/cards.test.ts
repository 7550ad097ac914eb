import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "esbuild";
import { RinglineError, type ErrorCode } from "../src/api/error.js";
import { failureText, news, ofActive, ofIncoming, ofOutgoing } from "../src/ui/announce.js";
import { ringLeft, timerText, type OutgoingCard } from "../src/ui/cards.js";
import { readCallees, readInvitation } from "../src/ui/invitation.js";
import { hueOf, initials } from "../src/ui/nodes.js";
import { fill, listed, textsOf } from "../src/ui/texts.js";
import { at } from "./world.js";

const en = { texts: textsOf("en"), language: "en" };

test("callees of a button: ids with spaces or commas, or JSON", () => {
  const ids = (text: string) => readCallees(text).map((x) => x.userID);
  assert.deepEqual(ids(" bob, eve  zoe,,"), ["bob", "eve", "zoe"]);
  assert.deepEqual(ids('["bob","with space", 7]'), ["bob", "with space", "7"]);
  assert.deepEqual(readCallees('[{"userID":"bob","userName":"Bob B"}]'), [{ userID: "bob", userName: "Bob B" }]);
  assert.deepEqual(ids(""), []);
  assert.throws(() => readCallees('["bob"'), { code: "invalid_argument", message: "callees: begins like JSON, and is none" });
});

test("the other attributes of a button", () => {
  const none = { callees: "bob", callType: null, customData: null, timeout: null, roomID: null };
  assert.deepEqual(readInvitation(none), { callees: [{ userID: "bob" }], callType: 0 });
  const all = { callees: "bob", callType: "video", customData: "x", timeout: "30", roomID: "r" };
  assert.deepEqual(readInvitation(all), { callees: [{ userID: "bob" }], callType: 1, customData: "x", timeout: 30, roomID: "r" });
  for (const [text, type] of [["1", 1], ["0", 0], ["Voice", 0], ["", 0]] as const) {
    assert.equal(readInvitation({ ...none, callType: text }).callType, type);
  }
  assert.throws(() => readInvitation({ ...none, callType: "pigeon" }), /call-type: must be voice \(0\) or video \(1\), got pigeon/);
  assert.ok(Number.isNaN(readInvitation({ ...none, timeout: "soon" }).timeout), "which the client refuses by name");
});

test("the ring empties by the server's clock, and after a reload it is as empty as before", () => {
  const created = { createdAt: at(0) };
  const server = Date.parse(at(0));
  assert.equal(ringLeft(created, 60_000, server), 1);
  assert.equal(ringLeft(created, 15_000, server + 45_000), 0.25);
  assert.equal(ringLeft(created, 0, server + 60_000), 0);
  assert.equal(ringLeft(created, 15_000, undefined), 1);
  assert.equal(ringLeft(created, 0, undefined), 0);
});

test("a call's timer", () => {
  assert.deepEqual([0, 7_900, 750_000, 3_600_000, -5].map(timerText), ["0:00", "0:07", "12:30", "1:00:00", "0:00"]);
});

test("texts of both languages, with an app's own before them", () => {
  const zh = textsOf("zh-Hans-CN", { accept: "好" });
  assert.deepEqual([zh.accept, zh.decline], ["好", "拒绝"]);
  assert.equal(textsOf("de").accept, "Accept");
  assert.deepEqual(Object.keys(textsOf("zh")).sort(), Object.keys(textsOf("en")).sort());
  for (const [name, text] of Object.entries(textsOf("en"))) {
    const holes = (s: string) => (s.match(/\{\w+\}/g) ?? []).join();
    assert.equal(holes(textsOf("zh")[name as keyof typeof zh]), holes(text), name);
  }
  assert.equal(fill("{name} calls {names}", { name: "{names} Ann" }), "{names} Ann calls {names}", "a name is no template");
  assert.deepEqual([listed("en", ["a", "b"]), listed("no such tag!", ["a", "b"])], ["a and b", "a, b"]);
});

test("what a screen reader hears: each state once", () => {
  const card = (...rows: [string, OutgoingCard["rows"][number]["progress"]][]): OutgoingCard => ({
    callID: "c1",
    callType: 0,
    rows: rows.map(([name, progress]) => ({ userID: name, name, progress })),
  });
  const steps = [
    card(["Bob", "calling"], ["Eve", "calling"]),
    card(["Bob", "ringing"], ["Eve", "calling"]),
    card(["Bob", "declined"], ["Eve", "ringing"]),
    { ...card(["Bob", "declined"], ["Eve", "no_answer"]), outcome: "unanswered" as const },
  ];
  let before = new Map<string, readonly string[]>();
  const heard = steps.map((step) => {
    const now = new Map([["c1", ofOutgoing(en, step)]]);
    const said = news(before, now);
    before = now;
    return said.join(". ");
  });
  assert.deepEqual(heard, ["Calling Bob and Eve", "Bob: ringing", "Bob: declined. Eve: ringing", "Eve: no answer. Call ended"]);
  assert.deepEqual(news(before, before), []);
  const call = {} as never;
  const incoming = { callID: "c1", callType: 1 as const, caller: { userID: "ann", name: "Ann" }, others: ["Eve"], call };
  assert.deepEqual(ofIncoming(en, incoming), ["Ann is calling, Video call, with Eve"]);
  assert.deepEqual(ofIncoming(en, { ...incoming, outcome: "missed" }), ["Missed call from Ann"]);
  const active = { callID: "c1", callType: 0 as const, names: ["Bob"], users: ["bob"], answeredAt: "" };
  assert.deepEqual(ofActive(en, active), ["In a call with Bob"]);
  assert.deepEqual(ofActive(en, { ...active, names: [], users: [] }), ["Nobody else is in the call"]);
});

test("what went wrong is said in the user's words; only a developer's mistakes in ours", () => {
  const said = (code: ErrorCode) => failureText(en.texts, new RinglineError(code, "callees: at most 50"));
  assert.equal(said("caller_busy"), "You are in another call.");
  assert.equal(said("disconnected"), "There is no connection. Try again.");
  assert.equal(said("invalid_argument"), "That did not work: callees: at most 50");
});

test("letters and colours of names", () => {
  assert.deepEqual(["ann", "Ann Ångström", "张伟", "", "a.b-c", "👩‍🚀 Zoe"].map(initials), ["A", "AÅ", "张", "", "AC", "👩Z"]);
  assert.equal(hueOf("ann"), hueOf("ann"));
  assert.ok([..."abcdefgh"].every((c) => hueOf(c) >= 0 && hueOf(c) < 360));
});

test("who takes only the client takes no elements with it, and no page is needed to import them", async () => {
  const bundle = async (contents: string) => {
    const stdin = { contents, resolveDir: "src", sourcefile: "app.ts" };
    const { outputFiles } = await build({ stdin, bundle: true, write: false, format: "esm", platform: "neutral", mainFields: ["module", "main"], minify: true });
    return outputFiles[0]!.text;
  };
  const client = await bundle('export { RinglineClient } from "./index.js"');
  assert.doesNotMatch(client, /ringline-incoming|--ringline|AudioContext|customElements/);
  assert.match(await bundle('export { Ringline } from "./index.js"'), /ringline-incoming/);
  const { defineElements } = await import("../src/index.js");
  assert.equal(typeof customElements, "undefined");
  defineElements();
});
