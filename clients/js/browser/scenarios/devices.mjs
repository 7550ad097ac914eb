// One user on several devices, and in several tabs of one browser.
import { deepStrictEqual, equal, notEqual, rejects } from "node:assert/strict";
import { receivedExactly, started } from "../rig/phone.mjs";
import { Screen } from "../rig/screen.mjs";
import { scenario } from "../rig/stage.mjs";
import { until } from "../rig/until.mjs";

/**
 * Ann, and three devices of bob. Two are tabs of one browser, the second a duplicate of the first. The third is in
 * another browser.
 */
async function stageOf(stage) {
  const [ann, tab, other] = await stage.phonesOf("ann", "bob", "bob");
  const opened = tab.context.waitForEvent("page");
  await tab.page.evaluate("window.open('/')"); // a tab with an opener starts with a copy of its session storage
  const second = stage.take(await opened, tab.user);
  await until("the second tab is loaded", () => second.page.evaluate("typeof initArgs === 'function'").catch(() => false));
  await second.init(stage.options(tab.user));
  const [of1, of2, of3] = [tab, second, other].map((phone) => phone.device.split("."));
  equal(of1[0], of2[0]);
  notEqual(of1[1], of2[1]);
  notEqual(of1[0], of3[0]);
  return { ann, tab, second, other };
}

scenario("answered in one tab: the second tab and the other browser stop", async (stage) => {
  const { ann, tab, second, other } = await stageOf(stage);
  const { callID } = await ann.call([tab]);
  const received = ["onIncomingCallReceived", callID, ann.user, 0, [tab.user], ""];
  for (const phone of [tab, second, other]) await phone.receives(...received);
  await tab.press("accept", callID);
  const elsewhere = [
    received,
    ["onIncomingCallAnsweredElsewhere", callID, ann.user],
    ["onCallEnded", callID, callID, { reason: "answered_elsewhere", by: tab.by }],
  ];
  await receivedExactly([second, elsewhere], [other, elsewhere]);
  await ann.press("end", callID);
  await receivedExactly(
    [
      ann,
      [
        ["onOutgoingCallRinging", callID, tab.id],
        ["onOutgoingCallAccepted", callID, tab.id],
        started(callID, "answered"),
        ["onCallEnded", callID, callID, { reason: "completed", by: ann.by }],
      ],
    ],
    [tab, [received, started(callID, "accepted"), ["onCallEnded", callID, callID, { reason: "completed", by: ann.byUser }]]],
    [second, elsewhere],
    [other, elsewhere],
  );
});

scenario("declined in the other browser: both tabs stop", async (stage) => {
  const { ann, tab, second, other } = await stageOf(stage);
  const { callID } = await ann.call([tab]);
  const received = ["onIncomingCallReceived", callID, ann.user, 0, [tab.user], ""];
  for (const phone of [tab, second, other]) await phone.receives(...received);
  await other.press("decline", callID);
  const elsewhere = [
    received,
    ["onIncomingCallDeclinedElsewhere", callID, ann.user],
    ["onCallEnded", callID, callID, { reason: "declined_elsewhere", by: other.by }],
  ];
  await receivedExactly(
    [
      ann,
      [
        ["onOutgoingCallRinging", callID, tab.id],
        ["onOutgoingCallDeclined", callID, tab.id],
        ["onCallEnded", callID, callID, { reason: "declined", by: other.by }],
      ],
    ],
    [tab, elsewhere],
    [second, elsewhere],
    [other, [received, ["onCallEnded", callID, callID, { reason: "declined", by: other.by }]]],
  );
});

scenario("in a call on another device: a new browser shows it, keeps no focus, and can leave it", async (stage) => {
  const [ann, bob] = await stage.phonesOf("ann", "bob");
  const { callID } = await ann.call([bob]);
  await ann.receives("onOutgoingCallRinging", callID, bob.id);
  await bob.press("accept", callID);
  await ann.receives(...started(callID, "answered"));
  const other = await stage.phone(ann.user);
  const sees = new Screen(other.page);
  await sees.sees("In a call with Bob on another device");
  await sees.seesButton("Continue here");
  equal(await sees.focused(), "BODY");
  deepStrictEqual((await other.press("getCalls")).map((c) => [c.callID, c.phase, c.direction]), [[callID, "elsewhere", "outgoing"]]);
  await rejects(other.press("leave"), { code: "not_found" }, "without the id it is not left by mistake");
  await sees.press("Leave");
  await sees.seesButton("Leave", 0);
  await receivedExactly(
    [other, []],
    [
      bob,
      [
        ["onIncomingCallReceived", callID, ann.user, 0, [bob.user], ""],
        started(callID, "accepted"),
        ["onCallEnded", callID, callID, { reason: "completed", by: ann.byUser }],
      ],
    ],
  );
});
