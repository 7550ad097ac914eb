import { activeView } from "./active.js";
import { callButtonAttributes, callButtonView } from "./callbutton.js";
import { defineElement } from "./host.js";
import { incomingView } from "./incoming.js";
import { outgoingView } from "./outgoing.js";

/**
 * Defines `<ringline-incoming>`, `<ringline-outgoing>`, `<ringline-active>` and `<ringline-call-button>`.
 * `Ringline.init` calls it. Without a page, as on a server, it does nothing.
 */
export function defineElements(): void {
  if (typeof customElements === "undefined" || typeof HTMLElement === "undefined") return;
  defineElement("ringline-incoming", [], incomingView);
  defineElement("ringline-outgoing", [], outgoingView);
  defineElement("ringline-active", [], activeView);
  defineElement("ringline-call-button", callButtonAttributes, callButtonView);
}
