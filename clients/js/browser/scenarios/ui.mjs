// Ringline's elements, mounted by Ringline.init and placed by an app: presses, callbacks, ringing.
import { deepStrictEqual, equal } from "node:assert/strict";
import { receivedExactly, started } from "../rig/phone.mjs";
import { Screen } from "../rig/screen.mjs";
import { scenario } from "../rig/stage.mjs";
import { pause, until } from "../rig/until.mjs";

const screens = (...phones) => phones.map((phone) => new Screen(phone.page));

/** Adds a call button to the page of a phone. */
async function buttonFor(phone, callees, more = {}) {
  const attributes = { callees: JSON.stringify(callees.map((x) => x.user)), ...more };
  await phone.inPage((list) => {
    document.querySelector("ringline-call-button")?.remove();
    const button = document.createElement("ringline-call-button");
    for (const [name, value] of Object.entries(list)) button.setAttribute(name, value);
    document.body.append(button);
  }, attributes);
}

/** The id of the newest call that rings or rang on a phone. */
async function received(phone, count) {
  const calls = async () => (await phone.received()).filter(([name]) => name === "onIncomingCallReceived").map(([, callID]) => callID);
  await until(`${phone.id} receives ${count} invitations`, async () => (await calls()).length >= count);
  return (await calls()).at(-1);
}

scenario("all ten callbacks, with the buttons of the elements", async (stage) => {
  const [ann, bob, eve] = await stage.phonesOf("ann", "bob", "eve");
  const [annSees, bobSees] = screens(ann, bob);
  await buttonFor(ann, [bob], { "call-type": "video", "custom-data": "hi", timeout: "30" });
  const calls = [];
  for (const [i, answer] of ["Accept", "Decline"].entries()) {
    await annSees.press("Call");
    calls.push(await received(bob, i + 1));
    await ann.receives("onOutgoingCallRinging", calls[i], bob.id);
    await bobSees.press(answer);
    if (answer === "Accept") await annSees.press("Leave");
    await annSees.seesButton("Cancel", 0);
  }
  await annSees.press("Call");
  calls.push(await received(bob, 3));
  await ann.receives("onOutgoingCallRinging", calls[2], bob.id);
  await annSees.press("Cancel");
  await bobSees.seesButton("Accept", 0);
  await buttonFor(ann, [bob], { timeout: "2", "custom-data": "quick" });
  await annSees.press("Call");
  calls.push(await received(bob, 4));
  await ann.receives("onOutgoingCallTimeout", calls[3], bob.id, "quick");
  await eve.call([bob]);
  await received(bob, 5);
  await buttonFor(ann, [bob], { "custom-data": "me too" });
  await annSees.press("Call");
  await annSees.sees("busy");
  const [video, decline, cancel, late] = calls;
  const busy = (await ann.received()).find(([name]) => name === "onOutgoingCallRejectedCauseBusy")[1];
  const begins = (callID, type, data) => ["onIncomingCallReceived", callID, ann.user, type, [bob.user], data];
  const ends = (callID, reason, by) => ["onCallEnded", callID, callID, { reason, by }];
  const timer = { kind: "timer" };
  await receivedExactly(
    [
      ann,
      [
        ["onOutgoingCallRinging", video, bob.id],
        ["onOutgoingCallAccepted", video, bob.id],
        started(video, "answered", { callType: 1 }),
        ends(video, "completed", ann.by),
        ["onOutgoingCallRinging", decline, bob.id],
        ["onOutgoingCallDeclined", decline, bob.id],
        ends(decline, "declined", bob.by),
        ["onOutgoingCallRinging", cancel, bob.id],
        ["onOutgoingCallCancelButtonPressed"],
        ends(cancel, "canceled", ann.by),
        ["onOutgoingCallRinging", late, bob.id],
        ["onOutgoingCallTimeout", late, bob.id, "quick"],
        ends(late, "timed_out", timer),
        ["onOutgoingCallRejectedCauseBusy", busy, bob.id, "me too"],
        ends(busy, "busy", ann.by),
      ],
    ],
    [
      bob,
      [
        begins(video, 1, "hi"),
        ["onIncomingCallAcceptButtonPressed"],
        started(video, "accepted", { callType: 1 }),
        ends(video, "completed", ann.byUser),
        begins(decline, 1, "hi"),
        ["onIncomingCallDeclineButtonPressed"],
        ends(decline, "declined", bob.by),
        begins(cancel, 1, "hi"),
        ["onIncomingCallCanceled", cancel, ann.user, ""],
        ends(cancel, "canceled", ann.byUser),
        begins(late, 0, "quick"),
        ["onIncomingCallTimeout", late, ann.user],
        ends(late, "timed_out", timer),
        ["onIncomingCallReceived", await received(bob, 5), eve.user, 0, [bob.user], ""],
      ],
    ],
  );
});

scenario("an outgoing call shows calling until a device of the callee rings", async (stage) => {
  const link = await stage.link();
  const ann = await stage.phone("ann");
  const bob = await stage.phone("bob", { server: link.url });
  const [annSees, bobSees] = screens(ann, bob);
  link.cut();
  await buttonFor(ann, [bob]);
  await annSees.press("Call");
  await annSees.sees("calling");
  await ann.receives("onConnectionStateChanged", "connected");
  equal((await ann.received()).some(([name]) => name === "onOutgoingCallRinging"), false);
  equal(await annSees.page.getByText("ringing", { exact: true }).count(), 0);
  link.restore();
  await bobSees.seesButton("Accept");
  await annSees.sees("ringing");
  equal(await annSees.page.getByText("calling", { exact: true }).count(), 0);
  // The other way round: a user who loses the connection sees that the state may be outdated.
  link.cut();
  await bobSees.sees("No connection, trying again …");
  await annSees.press("Cancel");
  await bobSees.seesButton("Accept");
  link.restore();
  await bobSees.sees(`Missed call from ${ann.user.userName}`);
});

scenario("a call made without a connection shows calling, and can be canceled", async (stage) => {
  const link = await stage.link();
  const [ann, bob] = [await stage.phone("ann", { server: link.url }), await stage.phone("bob")];
  const [annSees] = screens(ann);
  link.cut();
  await annSees.until("offline", async () => (await ann.received()).length > 2);
  await buttonFor(ann, [bob]);
  await annSees.press("Call");
  await annSees.sees("calling");
  await annSees.sees("No connection, trying again …");
  await annSees.press("Cancel");
  await annSees.seesButton("Cancel", 0);
  link.restore();
  await ann.reachesState(4);
  deepStrictEqual((await bob.received()).map(([name]) => name), ["onConnectionStateChanged", "onConnectionStateChanged"]);
  deepStrictEqual((await ann.received()).filter(([name]) => name === "onOutgoingCallCancelButtonPressed").length, 1);
});

/** The number of pages that play sound. */
async function sounding(...phones) {
  const all = await Promise.all(phones.map(({ page }) => page.locator("ringline-incoming[sounding]").count()));
  return all.filter(Boolean).length;
}

scenario("one of several tabs of a browser rings, and another continues when it is closed", async (stage) => {
  const [ann, other] = await stage.phonesOf("ann", "bob");
  const context = await stage.newContext();
  const tabs = [];
  for (let i = 0; i < 3; i++) tabs.push(await stage.phone(other.user, { context }));
  const [first] = tabs;
  for (const phone of [...tabs, other]) await phone.page.mouse.click(5, 5); // a browser allows sound only in a page that the user has used
  const { callID } = await ann.call([first]);
  for (const phone of [...tabs, other]) await new Screen(phone.page).seesButton("Accept");
  await until("one tab and the other browser ring", async () => (await sounding(...tabs)) === 1 && (await sounding(other)) === 1);
  for (let left = 3; left > 1; left--) {
    const [rings] = (await Promise.all(tabs.map(async (tab, i) => ((await sounding(tab)) ? i : -1)))).filter((i) => i >= 0);
    const [closed] = tabs.splice(rings, 1);
    await closed.page.close();
    stage.phones.splice(stage.phones.indexOf(closed), 1);
    await until("another tab rings", async () => (await sounding(...tabs)) === 1);
  }
  await new Screen(other.page).press("Accept");
  await ann.receives("onOutgoingCallAccepted", callID, first.id);
  await until("silence", async () => (await sounding(...tabs, other)) === 0);
});

scenario("if the browser blocks sound, a hint says how to allow it", async (stage) => {
  const ann = await stage.phone("ann");
  const user = stage.user("bob");
  const context = await stage.newContext();
  // Evaluating code in a page counts as a press there. So this page calls init by itself and is not evaluated before it
  // rings.
  await context.addInitScript((options) => {
    addEventListener("DOMContentLoaded", () => Ringline.init(...initArgs(options)));
  }, { app: "demo", user, ...stage.options(user) });
  const bob = stage.take(await context.newPage(), user);
  await bob.open(stage.site.origin);
  const { callID } = await ann.call([bob]);
  await ann.receives("onOutgoingCallRinging", callID, bob.id);
  await pause(1000); // a browser does not report that it refuses; it reports nothing
  const [bobSees] = screens(bob);
  await bobSees.seesButton("Tap to hear the ringtone");
  equal(await sounding(bob), 0);
  await bobSees.press("Tap to hear the ringtone");
  await until("it rings", async () => (await sounding(bob)) === 1);
  await bobSees.seesButton("Tap to hear the ringtone", 0);
});

scenario("the elements are mounted once, whatever init and unInit do, and never with ui false; an app's own elements work too", async (stage) => {
  const user = stage.user("ann");
  const ann = await stage.page(user);
  const options = stage.options(user);
  const counts = await ann.inPage(async (o) => {
    const count = () => [...document.querySelectorAll("ringline-incoming, ringline-outgoing, ringline-active")].length;
    const list = [];
    const init = (config) => Ringline.init(...initArgs({ ...o, config }));
    const first = init();
    Ringline.unInit();
    list.push(count());
    await Promise.all([first, init(), init()]);
    list.push(count());
    await init({ ui: false });
    list.push(count());
    await init({ ui: { language: "zh", texts: { accept: "喂" } } });
    list.push(count());
    Ringline.unInit();
    list.push(count());
    await new Promise((resolve) => setTimeout(resolve));
    await init({ ui: false });
    const own = document.createElement("ringline-incoming");
    own.texts = { accept: "Pick up" };
    document.body.append(own);
    return [...list, count()];
  }, { app: "demo", user, ...options });
  deepStrictEqual(counts, [0, 3, 0, 3, 0, 1]);
  const bob = await stage.phone("bob");
  await bob.call([ann]);
  await new Screen(ann.page).press("Pick up");
  await bob.receives("onOutgoingCallAccepted", (await bob.received()).find(([name]) => name === "onOutgoingCallRinging")[1], ann.id);
});

scenario("elements show the calls of a client that an app created without the kit", async (stage) => {
  const user = stage.user("ann");
  const ann = await stage.page(user);
  const bob = await stage.phone("bob");
  await ann.inPage(async ({ server, token }) => {
    const client = new Ringline.RinglineClient({ server, token });
    client.on("incomingCallAcceptButtonPressed", () => log.push(["pressed"]));
    client.on("callEnded", () => log.push(["ended"]));
    const own = document.createElement("ringline-incoming");
    own.client = client;
    document.body.append(own);
    await client.connect();
  }, stage.options(user));
  const { callID } = await bob.call([ann]);
  await new Screen(ann.page).press("Accept");
  await bob.receives("onOutgoingCallAccepted", callID, ann.id);
  await bob.press("end");
  await until("the end", async () => (await ann.received()).length === 2);
  deepStrictEqual(await ann.received(), [["pressed"], ["ended"]]);
});

/** Stops and starts the clock by which a page decides whether a key comes too early. */
const holdClock = (phone) => phone.inPage(() => {
  const at = (window.heldAt = performance.now());
  performance.now = () => at;
});
async function releaseClock(phone) {
  await phone.inPage(() => void delete performance.now);
  await until("a second has passed", () => phone.page.evaluate("performance.now() > heldAt + 1100"));
}

scenario("an incoming call leaves the focus where it is, is announced, and keys on it count after one second", async (stage) => {
  const [ann, bob] = await stage.phonesOf("ann", "bob");
  const [bobSees] = screens(bob);
  await bob.inPage(() => {
    const button = Object.assign(document.createElement("button"), { id: "own", textContent: "own" });
    button.onclick = () => (button.dataset.pressed = Number(button.dataset.pressed ?? 0) + 1);
    document.body.append(button);
  });
  await bob.page.locator("#own").focus();
  await holdClock(bob);
  const { callID } = await ann.call([bob]);
  await bobSees.seesButton("Accept");
  await ann.receives("onOutgoingCallRinging", callID, bob.id);
  equal(await bobSees.focused(), "own");
  equal(await bobSees.announced("ringline-incoming"), "Ann is calling, Voice call");
  for (const key of ["Space", "Enter"]) await bob.page.keyboard.press(key);
  equal(await bob.page.locator("#own").getAttribute("data-pressed"), "2");
  await bob.inPage(() => document.querySelector("ringline-incoming").focus());
  equal(await bobSees.focused(), "Accept");
  for (const key of ["Space", "Enter"]) await bob.page.keyboard.press(key);
  await pause(200);
  deepStrictEqual((await bob.received()).filter(([name]) => name.endsWith("Pressed")), []);
  await releaseClock(bob);
  await bob.page.keyboard.press("Space");
  await ann.receives("onOutgoingCallAccepted", callID, bob.id);
  await bobSees.until("the focus is on Leave", async () => (await bobSees.focused()) === "Leave");
  await ann.press("end");
  await bobSees.until("the focus is back", async () => (await bobSees.focused()) === "own");
});

scenario("without a focus, an incoming call and a call after a reload take none", async (stage) => {
  const [ann, bob] = await stage.phonesOf("ann", "bob");
  const [bobSees] = screens(bob);
  const { callID } = await ann.call([bob]);
  await bobSees.seesButton("Accept");
  for (const key of ["Space", "Enter"]) await bob.page.keyboard.press(key);
  equal(await bobSees.focused(), "BODY");
  await bob.press("accept", callID);
  await bobSees.seesButton("Leave");
  await bob.reload();
  await bobSees.seesButton("Leave");
  for (const key of ["Space", "Enter"]) await bob.page.keyboard.press(key);
  equal(await bobSees.focused(), "BODY");
  deepStrictEqual((await bob.received()).slice(2), [started(callID, "restored")]);
  deepStrictEqual((await bob.press("getCalls")).map((c) => c.phase), ["active"]);
});

scenario("the focus follows the user's own call and goes back, not out of a text field, and each state is announced once", async (stage) => {
  const [ann, bob] = await stage.phonesOf("ann", "bob");
  const [annSees, bobSees] = screens(ann, bob);
  await buttonFor(ann, [bob]);
  await annSees.button("Call").focus();
  await holdClock(ann);
  await ann.page.keyboard.press("Enter");
  await annSees.until("the focus is on Cancel", async () => (await annSees.focused()) === "Cancel");
  await ann.page.keyboard.press("Enter"); // a double press of Call
  await annSees.until("ringing is announced", async () => (await annSees.announced("ringline-outgoing")) === "Bob: ringing");
  await bobSees.button("Accept").focus();
  const order = [];
  for (let i = 0; i < 2; i++) {
    await bob.page.keyboard.press("Tab");
    order.push(await bobSees.focused());
  }
  deepStrictEqual(order, ["Decline", "Turn on notifications"]);
  await bobSees.button("Accept").click();
  await bobSees.until("the focus is on Leave", async () => (await bobSees.focused()) === "Leave");
  equal(await bobSees.announced("ringline-active"), "In a call with Ann");
  await annSees.until("the focus is on Leave", async () => (await annSees.focused()) === "Leave");
  await releaseClock(ann);
  await ann.page.keyboard.press("Space");
  await annSees.until("the focus is back on Call", async () => (await annSees.focused()) === "Call");
  // A user who is typing keeps the focus, also when they call.
  await ann.inPage(() => document.body.append(Object.assign(document.createElement("input"), { id: "note" })));
  await ann.page.locator("#note").focus();
  await ann.call([bob]);
  await annSees.seesButton("Cancel");
  await ann.page.keyboard.type("a b");
  deepStrictEqual([await annSees.focused(), await ann.page.inputValue("#note")], ["note", "a b"]);
});
