import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "esbuild";
import { RinglineError, type ErrorCode } from "../src/api/error.js";
import { failureText, newSentences, describeActive, describeIncoming, describeOutgoing } from "../src/ui/announce.js";
import { ringLeft, timerText, type OutgoingCard } from "../src/ui/cards.js";
import { readCallees, readInvitation } from "../src/ui/invitation.js";
import { hueOf, initials } from "../src/ui/nodes.js";
import { fill, listed, textsOf } from "../src/ui/texts.js";
import { at } from "./world.js";

const en = { texts: textsOf("en"), language: "en" };

test("callees of a button: ids separated by spaces or commas, or JSON", () => {
  const ids = (text: string) => readCallees(text).map((x) => x.userID);
  assert.deepEqual(ids(" bob, eve  zoe,,"), ["bob", "eve", "zoe"]);
  assert.deepEqual(ids('["bob","with space", 7]'), ["bob", "with space", "7"]);
  assert.deepEqual(readCallees('[{"userID":"bob","userName":"Bob B"}]'), [{ userID: "bob", userName: "Bob B" }]);
  assert.deepEqual(ids(""), []);
  assert.throws(() => readCallees('["bob"'), { code: "invalid_argument", message: "callees: starts with [ but is not valid JSON" });
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
  assert.ok(Number.isNaN(readInvitation({ ...none, timeout: "soon" }).timeout), "which the client refuses");
});

test("the circle empties by the server's clock, and a reload does not change it", () => {
  const created = { createdAt: at(0) };
  const server = Date.parse(at(0));
  assert.equal(ringLeft(created, 60_000, server), 1);
  assert.equal(ringLeft(created, 15_000, server + 45_000), 0.25);
  assert.equal(ringLeft(created, 0, server + 60_000), 0);
  assert.equal(ringLeft(created, 15_000, undefined), 1);
  assert.equal(ringLeft(created, 0, undefined), 0);
});

test("the timer of a call", () => {
  assert.deepEqual([0, 7_900, 750_000, 3_600_000, -5].map(timerText), ["0:00", "0:07", "12:30", "1:00:00", "0:00"]);
});

test("texts of both languages, overridden by an app's own", () => {
  const zh = textsOf("zh-Hans-CN", { accept: "好" });
  assert.deepEqual([zh.accept, zh.decline], ["好", "拒绝"]);
  assert.equal(textsOf("de").accept, "Accept");
  assert.deepEqual(Object.keys(textsOf("zh")).sort(), Object.keys(textsOf("en")).sort());
  for (const [name, text] of Object.entries(textsOf("en"))) {
    const holes = (s: string) => (s.match(/\{\w+\}/g) ?? []).join();
    assert.equal(holes(textsOf("zh")[name as keyof typeof zh]), holes(text), name);
  }
  assert.equal(fill("{name} calls {names}", { name: "{names} Ann" }), "{names} Ann calls {names}", "a name is not a template");
  assert.deepEqual([listed("en", ["a", "b"]), listed("no such tag!", ["a", "b"])], ["a and b", "a, b"]);
});

test("a screen reader announces each state once", () => {
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
  const announced = steps.map((step) => {
    const now = new Map([["c1", describeOutgoing(en, step)]]);
    const sentences = newSentences(before, now);
    before = now;
    return sentences.join(". ");
  });
  assert.deepEqual(announced, ["Calling Bob and Eve", "Bob: ringing", "Bob: declined. Eve: ringing", "Eve: no answer. Call ended"]);
  assert.deepEqual(newSentences(before, before), []);
  const call = {} as never;
  const incoming = { callID: "c1", callType: 1 as const, caller: { userID: "ann", name: "Ann" }, others: ["Eve"], call };
  assert.deepEqual(describeIncoming(en, incoming), ["Ann is calling, Video call, with Eve"]);
  assert.deepEqual(describeIncoming(en, { ...incoming, outcome: "missed" }), ["Missed call from Ann"]);
  const active = { callID: "c1", callType: 0 as const, names: ["Bob"], users: ["bob"], answeredAt: "", isElsewhere: false };
  assert.deepEqual(describeActive(en, active), ["In a call with Bob"]);
  assert.deepEqual(describeActive(en, { ...active, names: [], users: [] }), ["No one else is in the call"]);
});

test("errors are described for the user; errors of a developer show the client's message", () => {
  const failure = (code: ErrorCode) => failureText(en.texts, new RinglineError(code, "callees: at most 50"));
  assert.equal(failure("caller_busy"), "You are in another call.");
  assert.equal(failure("disconnected"), "There is no connection. Try again.");
  assert.equal(failure("invalid_argument"), "That did not work: callees: at most 50");
});

test("initials and colors of names", () => {
  assert.deepEqual(["ann", "Ann Ångström", "张伟", "", "a.b-c", "👩‍🚀 Zoe"].map(initials), ["A", "AÅ", "张", "", "AC", "👩Z"]);
  assert.equal(hueOf("ann"), hueOf("ann"));
  assert.ok([..."abcdefgh"].every((c) => hueOf(c) >= 0 && hueOf(c) < 360));
});

test("an app that imports only the client gets no elements, and importing them needs no page", async () => {
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
