// The first steps of a new user: `ringline dev`, and two tabs of its page.
import { deepStrictEqual } from "node:assert/strict";
import { join } from "node:path";
import { Program } from "../rig/program.mjs";
import { scenario } from "../rig/stage.mjs";
import { quiet, until } from "../rig/until.mjs";

/** Runs in the page before its own code. Records the names of the callbacks that Ringline.init receives. */
function listen() {
  let kit;
  window.received = [];
  const recorded = (callbacks) =>
    Object.fromEntries(
      Object.entries(callbacks).map(([name, callback]) => [name, (...args) => (window.received.push(name), callback(...args))]),
    );
  Object.defineProperty(window, "Ringline", {
    get: () => kit,
    set: (given) => {
      const { init } = given;
      given.init = (...args) => init(...args.slice(0, 6), recorded(args[6]));
      kit = given;
    },
  });
}

/** A tab with the page, as a user sees and uses it. */
class Tab {
  errors = [];

  constructor(page, url, user) {
    this.page = page;
    this.url = `${url}&user=${user}`;
    page.on("pageerror", (error) => this.errors.push(error.message));
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  async open() {
    await this.page.goto(this.url);
    await this.shows("connected", this.page.getByText("connected", { exact: true }).first());
  }

  async shows(what, locator, isShown = true) {
    const text = async () => `${what} is ${isShown ? "" : "not "}visible, but: ${await this.page.innerText("body")}`;
    await until(text, async () => (await locator.isVisible()) === isShown);
  }

  async shown(name) {
    await this.shows(name, this.button(name));
  }

  async press(name) {
    await this.button(name).click();
  }

  /** The names of the callbacks so far, without button presses. */
  async callbacks() {
    const names = await this.page.evaluate("received");
    return names.filter((name) => !name.endsWith("Pressed"));
  }

  /** Saves a picture. */
  async picture(name) {
    const folder = process.env.PICTURES;
    if (folder) await this.page.screenshot({ path: join(folder, `${name}.png`), fullPage: true, animations: "disabled" });
  }
}

scenario("ringline dev: two tabs of its page call, answer and leave", async (stage) => {
  const dev = new Program("dev", stage.bin.ringline, ["dev", "--memory", "--port", "0", "--http", "127.0.0.1:0"]);
  try {
    const url = (await dev.prints(/(http:\S+\?key=\w+)/))[1];
    const context = await stage.newContext();
    await context.addInitScript(listen);
    const [ann, bob] = [new Tab(await context.newPage(), url, "ann"), new Tab(await context.newPage(), url, "bob")];
    await Promise.all([ann.open(), bob.open()]);
    await ann.picture("connected");
    await ann.press("Call");
    await bob.shown("Accept");
    await ann.shown("Cancel");
    await Promise.all([ann.picture("calling"), bob.picture("called")]);
    await bob.press("Accept");
    for (const tab of [ann, bob]) await tab.shown("Leave");
    await Promise.all([ann.picture("caller"), bob.picture("callee")]);
    const states = ["onConnectionStateChanged", "onConnectionStateChanged"];
    deepStrictEqual(await bob.callbacks(), [...states, "onIncomingCallReceived", "onCallStarted"]);
    await bob.open(); // reload during the call
    await bob.shown("Leave");
    await bob.press("Leave");
    for (const tab of [ann, bob]) await tab.shows("Leave", tab.button("Leave"), false);
    await Promise.all([ann.picture("ended"), bob.picture("left")]);
    await quiet(() => Promise.all([ann.callbacks(), bob.callbacks()]));
    deepStrictEqual(await ann.callbacks(), [...states, "onOutgoingCallRinging", "onOutgoingCallAccepted", "onCallStarted", "onCallEnded"]);
    deepStrictEqual(await bob.callbacks(), [...states, "onCallStarted", "onCallEnded"]);
    deepStrictEqual([...ann.errors, ...bob.errors, ...dev.takeProblems()], []);
  } finally {
    await dev.kill();
  }
});
