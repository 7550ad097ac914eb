import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { keep } from "./picture.mjs";
import { until } from "./until.mjs";

const axe = readFileSync(fileURLToPath(new URL("../../node_modules/axe-core/axe.min.js", import.meta.url)), "utf8");

/** The variants in which everything is checked. */
export const looks = {
  light: { colorScheme: "light", viewport: { width: 1000, height: 720 } },
  dark: { colorScheme: "dark", viewport: { width: 1000, height: 720 } },
  small: { colorScheme: "light", viewport: { width: 360, height: 720 } },
};

const elements = ["ringline-incoming", "ringline-outgoing", "ringline-active", "ringline-call-button"];

/** A page as a user sees and uses it: by its visible labels, as a screen reader finds them. */
export class Screen {
  constructor(page) {
    this.page = page;
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  async press(name) {
    await this.button(name).first().click();
  }

  /** Waits until the text is visible. */
  async sees(text) {
    await this.until(`"${text}"`, () => this.page.getByText(text, { exact: true }).first().isVisible());
  }

  async seesButton(name, count = 1) {
    await this.until(`${count} buttons ${name}`, async () => (await this.button(name).count()) === count);
  }

  async until(what, ask) {
    await until(async () => `${what}, but: ${await this.text()}`, ask);
  }

  /** The whole text of Ringline's elements. */
  text() {
    return this.page.evaluate((names) => {
      const visible = (n) => n.nodeType === 3 || (!n.hidden && !["STYLE", "svg"].includes(n.nodeName) && n.className !== "announcements");
      const read = (n) => (n.nodeType === 3 ? n.data : [...n.childNodes].filter(visible).map(read).join(" "));
      const of = (e) => (e.shadowRoot ? read(e.shadowRoot) : "").replace(/\s+/g, " ").trim();
      return [...document.querySelectorAll(names.join())].map(of).filter(Boolean).join(" | ");
    }, elements);
  }

  /** The last announcement of an element to a screen reader. */
  announced(element) {
    return this.page.evaluate((e) => document.querySelector(e).shadowRoot.querySelector("[aria-live]").textContent, element);
  }

  /** The name of the focused button or other element. */
  focused() {
    return this.page.evaluate(() => {
      let e = document.activeElement;
      while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
      return e?.innerText || e?.id || e?.nodeName;
    });
  }

  /** Fails on serious findings of axe, content wider than the window, and buttons too small to touch. */
  async check(what, include = elements) {
    if (!(await this.page.evaluate("typeof axe === 'object'"))) await this.page.evaluate(axe);
    const found = await this.page.evaluate(async (names) => {
      const there = names.filter((name) => document.querySelector(name));
      const roots = there.flatMap((name) => [...document.querySelectorAll(name)].map((e) => e.shadowRoot ?? document));
      const moving = roots.flatMap((root) => root.getAnimations()).filter((a) => a.effect.getComputedTiming().iterations < Infinity);
      await Promise.allSettled(moving.map((a) => a.animationName === "come" && a.finished));
      const { violations, incomplete } = await axe.run({ include: there.map((name) => [name]) }, { resultTypes: ["violations", "incomplete"] });
      const lines = (list) => list.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target} ${n.failureSummary}`));
      const serious = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
      const unsure = lines(incomplete.filter((v) => v.id === "color-contrast"));
      return [...lines(serious), ...unsure.filter((text) => !text.includes("too short"))]; // the initial of a name
    }, include);
    deepStrictEqual(found, [], what);
    const { wide, small } = await this.page.evaluate((names) => {
      const all = names.flatMap((name) => [...document.querySelectorAll(name)]);
      const buttons = all.flatMap((e) => [...(e.shadowRoot ?? e).querySelectorAll("button")]).filter((b) => b.checkVisibility());
      const boxes = buttons.map((b) => b.getBoundingClientRect());
      return {
        wide: document.documentElement.scrollWidth - innerWidth,
        small: boxes.filter((b) => b.height < 40 || b.left < 0 || b.right > innerWidth).map((b) => JSON.stringify(b)),
      };
    }, elements);
    ok(wide <= 0, `${what}: ${wide} px wider than the window`);
    equal(small.join(), "", `${what}: buttons`);
  }

  /** Saves a picture, of one part if it is named. */
  picture(name, part) {
    const target = part ? this.page.locator(part).first() : this.page;
    return keep(name, () => target.screenshot({ animations: "disabled" }));
  }
}
