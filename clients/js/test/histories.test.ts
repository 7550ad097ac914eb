import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { initial, reduce, type Input, type State, type Step } from "../src/calls/reducer.js";
import { actorOf } from "../src/calls/shapes.js";
import type { Notification, Reply } from "../src/wire/read.js";
import type * as wire from "../src/wire/messages.js";

// Go generates the histories and the expected callbacks: see testdata/histories/README.md. This test computes neither.

interface History {
  name: string;
  user_id: string;
  device_id: string;
  sent: Sent[];
  steps: Frame[];
  expect: Called[][];
}

type Frame =
  | { push: Notification }
  | { snapshot: wire.Snapshot; showing?: string[] }
  | { answer: { verb: string; answer: Reply } };

type Sent = { verb: "invite"; call_id: string; callee: string } | { verb: "accept"; call_id: string; attempt: number };

interface Called {
  name: string;
  args: unknown[];
}

const folder = "testdata/histories";
const files = readdirSync(folder).filter((f) => f.endsWith(".json"));

// The callbacks that the histories don't contain. All others must be in them.
const unspoken = ["onParticipantJoined", "onParticipantLeft"];

test("the histories contain callbacks", () => {
  assert.ok(files.length > 0, `no file in ${folder}`);
  const calls = files.flatMap(read).flatMap((h) => h.expect.flat());
  for (const name of ["onIncomingCallReceived", "ring", "onCallStarted", "onCallEnded", "onOutgoingCallAccepted", "onIncomingCallAnsweredElsewhere"]) {
    assert.ok(calls.filter((c) => c.name === name).length > 20, name);
  }
});

for (const file of files) {
  test(file, () => {
    const histories = read(file);
    assert.ok(histories.length > 0, "the file has no histories");
    for (const history of histories) replay(history);
  });
}

function read(file: string): History[] {
  return JSON.parse(readFileSync(`${folder}/${file}`, "utf8")) as History[];
}

function replay({ name, user_id, device_id, sent, steps, expect }: History): void {
  let state: State = { ...initial, userID: user_id, deviceID: device_id };
  for (const command of sent) state = reduce(state, commandOf(command)).state;
  assert.equal(steps.length, expect.length, `${name}: as many steps as expectations`);
  for (const [i, frame] of steps.entries()) {
    const input = inputOf(frame);
    const step: Step = input ? reduce(state, input) : { state, callbacks: [], commands: [] };
    state = step.state;
    assert.deepEqual(called(step), (expect[i] ?? []).map(fromWire), `${name}, step ${i}: ${JSON.stringify(frame).slice(0, 3000)}`);
  }
}

function commandOf(sent: Sent): Input {
  if (sent.verb === "accept") return { kind: "accepts", callID: sent.call_id, attempt: sent.attempt };
  return { kind: "invites", callID: sent.call_id, callee: sent.callee };
}

function inputOf(frame: Frame): Input | undefined {
  const receivedAt = 0;
  if ("push" in frame) {
    const { call } = frame.push; // without a call the client does nothing, or reads the call
    return call && { kind: "notification", notification: { ...frame.push, call }, receivedAt };
  }
  if ("snapshot" in frame) return { kind: "snapshot", snapshot: frame.snapshot, showing: frame.showing ?? [], receivedAt };
  const { verb, answer } = frame.answer;
  return answer.call && { kind: "answer", call: answer.call, verb, receivedAt };
}

/** The ring command is sent right after the callback. */
function called({ callbacks, commands }: Step): Called[] {
  const rings = [...commands];
  const list = callbacks.flatMap((c): Called[] => {
    if (unspoken.includes(c.name)) return [];
    const i = c.name === "onIncomingCallReceived" ? rings.findIndex((r) => r.callID === c.args[0]) : -1;
    return i < 0 ? [c] : [c, ...rings.splice(i, 1).map((r) => ({ name: "ring", args: [r.callID, r.attempt] }))];
  });
  return [...list, ...rings.map((r) => ({ name: "ring", args: [r.callID, r.attempt] }))];
}

/** In the files `by` is as on the wire, and null if unknown. */
function fromWire({ name, args }: Called): Called {
  if (name !== "onCallEnded") return { name, args };
  const { reason, by } = args[2] as { reason: string; by: wire.By | null };
  return { name, args: [args[0], args[1], by ? { reason, by: actorOf(by) } : { reason }] };
}
