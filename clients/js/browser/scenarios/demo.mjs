// The page of `ringline dev`: from its address to an answered call, and the events that it shows.
import { equal, match } from "node:assert/strict";
import { Program, run } from "../rig/program.mjs";
import { looks, Screen } from "../rig/screen.mjs";
import { scenario } from "../rig/stage.mjs";
import { until } from "../rig/until.mjs";

/** Runs `ringline dev` for a test, with a page of its own. */
function demo(name, look, play) {
  scenario(name, async (stage) => {
    const dev = new Program("dev", stage.bin.ringline, ["dev", "--memory", "--port", "0", "--http", "127.0.0.1:0"]);
    try {
      const [, RINGLINE_NATS_URL] = await dev.prints(/NATS +(nats:\S+:\d+)/);
      await run(stage.bin.ringline, ["app", "set", "demo", "--capacity", "2"], { RINGLINE_NATS_URL }); // concurrent calls
      const url = (await dev.prints(/(http:\S+\?key=\w+)/))[1];
      const page = await (await stage.newContext(looks[look])).newPage();
      const errors = [];
      page.on("pageerror", (error) => errors.push(error.message));
      await page.goto(url);
      await play(new Screen(page), page);
      equal([...errors, ...dev.takeProblems()].join("\n"), "");
    } finally {
      await dev.kill();
    }
  });
}

/** The phone that the page opened next to the first. */
async function paneOf(page, count = 1) {
  const pane = page.frameLocator("iframe").nth(count - 1);
  await pane.getByText("connected", { exact: true }).waitFor();
  return { pane, button: (name) => pane.getByRole("button", { name, exact: true }) };
}

for (const look of Object.keys(looks)) {
  demo(`the demo page, ${look}: two phones with one click, a call, and its events side by side`, look, async (screen, page) => {
    await screen.check(`welcome, ${look}`, ["main"]);
    await screen.press("Open two phones");
    const bob = await paneOf(page);
    await screen.sees("connected");
    await screen.check(`phones, ${look}`, ["main"]);
    await screen.press("Call");
    await bob.button("Accept").waitFor();
    await page.locator(".moment", { hasText: "outgoing_call_ringing" }).getByText("onOutgoingCallRinging").waitFor();
    await bob.button("Accept").click();
    await screen.seesButton("Leave");
    const accepted = page.locator(".moment", { has: page.getByRole("heading", { name: "accepted" }) });
    const pair = accepted.locator(".pair", { hasText: "outgoing_call_accepted" });
    await until("the callback is next to its notification", async () => (await pair.locator("code").count()) === 2);
    match(await pair.locator("code").first().innerText(), /^onOutgoingCallAccepted\("\w+", "bob"\)$/);
    match(await pair.locator("code").last().innerText(), /^onCallStarted\("\w+", "\w+", /);
    match(await pair.locator("summary").innerText(), /^ringline\.demo\.user\.ann$/);
    await accepted.locator("summary").first().click();
    match(await accepted.locator("pre").first().innerText(), /type: "io\.ringline\.call\.accepted\.v2"/);
    match(await accepted.innerText(), /bob: ringing → accepted/);
    await screen.check(`moments, ${look}`, ["main"]);
    await accepted.locator("summary").first().click();
    if (look !== "small") await page.setViewportSize({ width: 1180, height: 860 });
    await page.evaluate("scrollTo(0, 0)");
    await screen.picture(`demo-page-${look}`);
    await page.reload();
    await screen.seesButton("Leave"); // the same device as before, although another phone is in the same tab
    await screen.press("Leave");
    await bob.pane.getByRole("heading", { name: "Call ended" }).waitFor();
  });
}

demo("the demo page: a phone that is offline receives nothing, and catches up when it is back", "light", async (screen, page) => {
  await screen.press("Open two phones");
  const bob = await paneOf(page);
  await screen.sees("connected");
  await bob.button("Offline 10 s").click();
  await bob.pane.getByText("offline", { exact: true }).waitFor();
  await screen.press("Call");
  await screen.sees("calling");
  await screen.page.getByText("Back in").waitFor({ state: "hidden" });
  equal(await bob.button("Accept").count(), 0);
  await bob.button("Accept").waitFor({ timeout: 20_000 });
  await screen.sees("ringing");
  const received = page.locator(".called", { hasText: "bob" }).filter({ hasText: "onConnectionStateChanged" });
  equal((await received.allInnerTexts()).length, 4);
});

demo("several calls at once are stacked, each with its own buttons", "small", async (screen, page) => {
  await screen.press("Open two phones");
  await paneOf(page);
  await screen.press("Open another phone for eve");
  await paneOf(page, 2);
  for (const pane of [1, 2]) await (await paneOf(page, pane)).button("Call").click();
  await screen.seesButton("Accept", 2);
  await screen.check("two calls");
  const dialogs = page.getByRole("dialog");
  equal(await dialogs.count(), 2);
  await page.getByRole("dialog", { name: "eve is calling" }).getByRole("button", { name: "Decline", exact: true }).click();
  await screen.seesButton("Accept", 1);
  await page.getByRole("dialog", { name: "bob is calling" }).waitFor();
});
