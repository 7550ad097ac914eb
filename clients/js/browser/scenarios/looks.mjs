// Ringline's elements in every state, light, dark and on a small phone: nothing overflows, everything is readable.
import { looks, Screen } from "../rig/screen.mjs";
import { scenario } from "../rig/stage.mjs";

for (const [look, options] of Object.entries(looks)) {
  scenario(
    `every state, ${look}`,
    async (stage) => {
      const open = async (name) => stage.phone(name, { context: await stage.newContext(options) });
      const [ann, bob, eve] = await Promise.all([open("ann"), open("bob"), open(stage.user("eve", { userName: "Eve-Marie von Lichtenberg-Hohenstein" }))]);
      const zoe = { user: stage.user("zoe") };
      const [annSees, bobSees, eveSees] = [ann, bob, eve].map((phone) => new Screen(phone.page));
      const see = async (screen, name, part = "[data-ringline]") => {
        await screen.check(`${name}, ${look}`);
        await screen.picture(`${name}-${look}`, part);
      };
      for (const { page } of [ann, bob, eve]) await page.evaluate("document.documentElement.style.colorScheme = 'light dark'");
      await ann.inPage(() => document.body.append(document.createElement("ringline-call-button")));
      await annSees.press("Call");
      await annSees.sees("That did not work: callees: must be an array with at least one callee");
      await see(annSees, "button-failed", "ringline-call-button");

      await ann.call([zoe]);
      await annSees.sees("calling");
      await see(annSees, "calling");
      await annSees.press("Cancel");
      await annSees.seesButton("Cancel", 0);

      await ann.call([bob], { callType: 1 });
      await bobSees.seesButton("Accept");
      await annSees.sees("ringing");
      await see(bobSees, "incoming");
      await see(annSees, "ringing");
      await bobSees.press("Decline");
      await annSees.sees("declined");
      await see(annSees, "declined");

      await ann.call([bob, eve, zoe]);
      await bobSees.seesButton("Accept");
      await eveSees.seesButton("Accept");
      await see(eveSees, "incoming-group");
      await bobSees.press("Decline");
      await annSees.sees("declined");
      await see(annSees, "group");
      await eveSees.press("Accept");
      await annSees.seesButton("Leave");
      await see(annSees, "group-answered");
      await see(eveSees, "active");
      const other = new Screen((await open("ann")).page);
      await other.seesButton("Continue here");
      await see(other, "elsewhere");
      await annSees.press("Cancel");
      await annSees.seesButton("Cancel", 0);
      await eveSees.press("Leave");
      await annSees.sees("Call ended");
      await see(annSees, "ended");

      await ann.call([bob]);
      await bobSees.seesButton("Accept");
      await ann.press("cancel");
      await bobSees.sees("Missed call from Ann");
      await see(bobSees, "missed");
      await ann.call([bob], { timeout: 1 });
      await annSees.sees("no answer");
      await see(annSees, "no-answer");
    },
    { timeout: 120_000 },
  );
}
