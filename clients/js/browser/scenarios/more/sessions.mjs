// The origins that may open a session, and the end of a session.
import { deepStrictEqual, equal } from "node:assert/strict";
import { receivedExactly } from "../../rig/phone.mjs";
import { scenario } from "../../rig/stage.mjs";
import { until } from "../../rig/until.mjs";

scenario("a page of another origin is refused, by each transport", async (stage) => {
  const user = stage.user("ann");
  const ann = await stage.page(user);
  await ann.open(stage.site.origin.replace("127.0.0.1", "localhost"));
  ann.init(stage.options(user)).catch(() => {}); // rejects when the page closes
  const sockets = () => ann.attempts.filter((path) => path === "/connection/websocket");
  await until(() => `all transports are tried, but: ${ann.attempts}`, () => sockets().length >= 2);
  const paths = ["/connection/websocket", "/connection/http_stream", "/connection/sse"];
  deepStrictEqual([...new Set(ann.attempts)], paths); // requests that look for the reason go to one of them too
  await until("onError", async () => (await ann.received()).length > 1);
  deepStrictEqual((await ann.received()).map(([name]) => name), ["onConnectionStateChanged", "onError"]);
});

scenario("unInit ends the session, and a later init shows what still rings", async (stage) => {
  const [ann, bob] = await stage.phonesOf("ann", "bob");
  const { callID } = await ann.call([bob]);
  const received = ["onIncomingCallReceived", callID, ann.user, 0, [bob.user], ""];
  await bob.receives(...received);
  await bob.press("unInit");
  await until("the connection is closed", () => bob.sockets[0].isClosed());
  await ann.press("cancel", callID);
  const again = await ann.call([bob]);
  await receivedExactly([bob, [received]]);
  await bob.page.evaluate("log.length = 0");
  await bob.init(bob.options);
  await receivedExactly([bob, [["onIncomingCallReceived", again.callID, ann.user, 0, [bob.user], ""]]]);
  equal(bob.sockets.length, 2);
});
