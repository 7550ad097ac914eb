// Sockets that lie: pages that slept, and addresses at which no edge lets them in.
import { equal, match, ok } from "node:assert/strict";
import { createServer } from "node:net";
import { down, receivedExactly, up } from "../rig/phone.mjs";
import { scenario } from "../rig/stage.mjs";
import { pause, until } from "../rig/until.mjs";

scenario("a call that was canceled while the device slept does not ring when it wakes without a network", async (stage) => {
  const link = await stage.link();
  const [ann, bob] = await Promise.all([stage.phone("ann"), stage.phone("bob", { server: link.url })]);
  await bob.sleep(18_000);
  const over = pause(19_000);
  const { callID } = await ann.call([bob]);
  await pause(1_000); // the push waits in the socket of bob's page
  link.cut();
  await ann.press("cancel", callID);
  await over;
  await receivedExactly([bob, [down]]);
  link.restore();
  await receivedExactly([bob, [down, up]], [ann, [["onCallEnded", callID, callID, { reason: "canceled", by: ann.by }]]]);
});

scenario("a call that still rings when the device wakes: it rings for the time left", async (stage) => {
  const [ann, bob] = await stage.phonesOf("ann", "bob");
  await bob.sleep(4_000);
  const called = performance.now();
  const { callID } = await ann.call([bob], { timeout: 30 });
  const stored = performance.now();
  await bob.receives("onIncomingCallReceived", callID, ann.user, 0, [bob.user], "");
  const most = 30_000 - (performance.now() - stored);
  const remaining = await bob.ringRemaining();
  const least = 30_000 - (performance.now() - called);
  ok(remaining > least - 500 && remaining < most + 500, `${remaining} ms remain, not ${least} to ${most}`);
});

/** A page for which init stays pending, and the message of its only error. */
async function refused(stage, { origin = stage.site.origin, server }) {
  const ann = await stage.page(stage.user("ann"));
  await ann.open(origin);
  await ann.startInit(stage.options(ann.user, server ? { server } : {}));
  const errors = async () => (await ann.received()).filter(([name]) => name === "onError");
  await until("onError", async () => (await errors()).length > 0);
  await pause(2_000);
  const [[, { code, message }], ...more] = await errors();
  equal(code, "unavailable");
  equal(more.length, 0, JSON.stringify(more));
  return message;
}

scenario("a refused origin: one error, with the command that allows it", async (stage) => {
  const origin = stage.site.origin.replace("127.0.0.1", "localhost");
  const message = await refused(stage, { origin });
  match(message, new RegExp(`^no connection to ${stage.cluster.edges[0].url}: it answers, but not to pages from ${origin}: `));
  match(message, new RegExp(`ringline app set APP --origin ${origin}`));
});

scenario("a wrong port, and a wrong path: one error each", async (stage) => {
  const free = createServer();
  await new Promise((resolve) => free.listen(0, "127.0.0.1", resolve));
  const server = `http://127.0.0.1:${free.address().port}`;
  await new Promise((resolve) => free.close(resolve));
  match(await refused(stage, { server }), /^no connection to http:\S+: nothing answers; /);
  match(await refused(stage, { server: `${stage.site.origin}/calls` }), /^no connection to http:\S+\/calls: status 404: /);
});
