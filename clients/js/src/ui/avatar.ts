import { hueOf, initials, node } from "./nodes.js";

/** A user's initials on a color derived from the user id. */
export function avatar(user: { userID: string; name: string }, isSmall = false, ...around: Node[]): HTMLElement {
  const letters = node("span", {}, initials(user.name));
  const attributes = { class: isSmall ? "avatar small" : "avatar", part: "avatar", "aria-hidden": "true" };
  const element = node("div", attributes, ...around, letters);
  element.style.setProperty("--hue", String(hueOf(user.userID)));
  return element;
}
