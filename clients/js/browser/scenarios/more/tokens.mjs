// Tokens that expire.
import { deepStrictEqual, equal, match, rejects } from "node:assert/strict";
import { scenario } from "../../rig/stage.mjs";
import { talk } from "../../rig/talk.mjs";
import { until } from "../../rig/until.mjs";

const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

scenario("a token that expires during the session is renewed, and the session continues", async (stage) => {
  const [ann, bob] = await Promise.all(["ann", "bob"].map((name) => stage.phone(name, { ttl: 8, renewable: true })));
  const sockets = () => [ann, bob].map((phone) => phone.sockets.length);
  for (const phone of [ann, bob]) {
    await until("getToken is called", () => phone.page.evaluate("tokenRequests > 0"));
    await until("the first token has expired", () => Date.now() / 1000 > claims(phone.options.token).exp + 1);
  }
  await talk(ann, bob);
  deepStrictEqual(sockets(), [1, 1]);
  for (const phone of [ann, bob]) equal(await phone.page.evaluate("tokenRequests"), 1);
});

scenario("a token that has expired is renewed at connect", async (stage) => {
  const [ann, bob] = await Promise.all([stage.phone("ann", { ttl: -60, renewable: true }), stage.phone("bob")]);
  equal(await ann.page.evaluate("tokenRequests"), 1);
  await talk(ann, bob);
});

scenario("a token that has expired, without getToken, is an error with that message", async (stage) => {
  const user = stage.user("ann");
  const ann = await stage.page(user);
  await rejects(ann.init(stage.options(user, { ttl: -60 })), (error) => {
    equal(error.code, "permission_denied");
    match(error.message, /^token: has expired/);
    return true;
  });
});

scenario("a token that expires during a call, without a storage: one error, and renewToken continues as the same device", async (stage) => {
  const user = stage.user("ann");
  const [ann, bob] = [await stage.page(user), await stage.phone("bob")];
  const { deviceID } = await ann.init(stage.options(user, { ttl: 4, config: { storage: null } }));
  const { callID } = await ann.call([bob]);
  await until("the session ends", async () => (await ann.received()).some(([, state]) => state === "disconnected"), 45_000);
  ann.options.token = stage.cluster.mint(user);
  await ann.press("renewToken", ann.options.token);
  await ann.reachesState(5);
  equal((await ann.press("getLocalUser")).deviceID, deviceID);
  deepStrictEqual((await ann.press("getCalls")).map((c) => [c.callID, c.phase]), [[callID, "ringing"]]);
  await ann.press("cancel", callID);
  await ann.receives("onCallEnded", callID, callID, { reason: "canceled", by: ann.by });
  const names = (await ann.received()).map(([name]) => name);
  for (const name of ["onError", "onCallEnded"]) equal(names.filter((x) => x === name).length, 1, name);
}, { timeout: 100_000 });
