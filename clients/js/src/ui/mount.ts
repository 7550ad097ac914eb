import { defineElements } from "./define.js";
import { node } from "./nodes.js";
import type { Phone, UIOptions } from "./phone.js";
import { kitPhone } from "./source.js";

let mounted: HTMLElement | undefined;
let stopWaiting = (): void => {};

/** Passes a session's calls to the elements, and adds our own elements to the page unless `ui` is false. */
export function mount(phone: Phone, ui: boolean | UIOptions = true): void {
  defineElements();
  phone.options = typeof ui === "object" ? ui : {};
  kitPhone.set(phone);
  phone.board.changed();
  if (ui === false || typeof document === "undefined") return takeDown();
  if (mounted?.isConnected) return;
  whenBodyExists(() => {
    takeDown();
    const { target } = phone.options;
    mounted = corner(!target);
    (target ?? document.body).append(mounted);
  });
}

/** Removes everything again. */
export function unmount(): void {
  takeDown();
  kitPhone.set(undefined);
}

function takeDown(): void {
  stopWaiting();
  mounted?.remove();
  mounted = undefined;
}

/** A script in the head runs before the body exists. */
function whenBodyExists(act: () => void): void {
  stopWaiting();
  if (document.body) return act();
  document.addEventListener("DOMContentLoaded", act, { once: true });
  stopWaiting = () => document.removeEventListener("DOMContentLoaded", act);
}

/** All elements share one container, so that none covers another. */
function corner(isFixed: boolean): HTMLElement {
  const names = ["ringline-incoming", "ringline-outgoing", "ringline-active"] as const;
  const box = node("div", { "data-ringline": "" }, ...names.map((name) => document.createElement(name)));
  if (!isFixed) return box;
  Object.assign(box.style, {
    position: "fixed",
    inset: "var(--ringline-inset, 0 0 auto auto)",
    zIndex: "var(--ringline-z-index, 2147483000)",
    display: "grid",
    gap: "12px",
    boxSizing: "border-box",
    width: "min(var(--ringline-width, 360px) + 52px, 100vw)",
    maxHeight: "100dvh",
    overflowY: "auto",
    // A scrolling container clips the shadows of its content.
    padding: "max(12px, env(safe-area-inset-top)) 12px 40px clamp(12px, 100vw - 412px, 40px)",
    pointerEvents: "none",
  });
  for (const child of [...box.children]) (child as HTMLElement).style.pointerEvents = "auto";
  return box;
}
