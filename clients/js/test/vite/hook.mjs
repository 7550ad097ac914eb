// Runs the React hook of docs/client.md in StrictMode, against an edge that this script controls. vite.mjs bundles it.
import assert from "node:assert/strict";
import { act, createElement, StrictMode } from "react";
import { create } from "react-test-renderer";
import { Ringline } from "@ringline/client";
import { App } from "./src/App";
import { FakeEdge } from "fakeedge";
import { call, callee, push } from "world";

globalThis.IS_REACT_ACT_ENVIRONMENT = true;
const edge = await new FakeEdge().start();
globalThis.edgeURL = edge.url;
edge.snapshot = { user_id: "bob" };
const log = [];
console.log = (...args) => log.push(args.join(" "));
const settle = () => act(() => new Promise((resolve) => setTimeout(resolve, 200)));
const mounted = (key) => createElement(StrictMode, null, createElement(App, { key, userID: "bob", peerID: "ann" }));

const device = () => Ringline.getLocalUser()?.deviceID ?? "";
const active = (seq, call_id, bob = {}) =>
  call(seq, { call_id, room_id: `room of ${call_id}`, state: "active", callees: [callee("bob", { state: "accepted", device_id: device(), ...bob })] });

let root;
await act(async () => (root = create(mounted("first"))));
await settle();
assert.equal(edge.connected.length, 1, "StrictMode mounts twice and connects once");

const peer = edge.connected[0];
peer.push(push(active(2, "c1")));
await settle();
assert.deepEqual(log, ["joined room of c1"]);
assert.match(JSON.stringify(root.toJSON()), /"active"/, "the calls are rendered");

await act(async () => root.update(mounted("second")));
await settle();
assert.deepEqual([edge.connected.length, log], [1, ["joined room of c1"]], "mounted again at once: the session and the room stay");

peer.push(push(active(3, "c1", { state: "left", reason: "left" })));
await settle();
assert.deepEqual(log.splice(0), ["joined room of c1", "left room of c1"]);

peer.push(push(active(2, "c2")));
await settle();
await act(async () => root.unmount());
await settle();
assert.deepEqual(log.splice(0), ["joined room of c2", "left room of c2"], "unmounted: no callback follows, and the hook leaves");
assert.equal(Ringline.getLocalUser(), null);

edge.snapshot = { user_id: "bob", device_id: "b.1", calls: [{ call: active(3, "c2", { device_id: "b.1" }) }] };
await act(async () => (root = create(mounted("third"))));
await settle();
assert.deepEqual(log, ["joined room of c2"], "restored, as after a reload");
await act(async () => root.unmount());
process.stdout.write("the React hook joins and leaves\n");
process.exit(0);
