import type { RinglineClient } from "../client/client.js";
import { textsOf, type UITexts } from "./texts.js";
import type { Words } from "./announce.js";
import { adopt } from "./nodes.js";
import { phoneOf, type Phone } from "./phone.js";
import { kitPhone } from "./source.js";
import { styles } from "./styles.js";

/** The properties of each of Ringline's elements, besides its attributes. */
export interface RinglineElement extends HTMLElement {
  /** The client whose calls it shows; default: that of `Ringline.init`. */
  client: RinglineClient | undefined;
  /** An app's own texts. They have priority over those of `Ringline.init`. */
  texts: Partial<UITexts> | undefined;
}

/** The behavior of an element while it is in a page and has a client. */
export interface View {
  /** Draws the current state. */
  update(words: Words): void;
  /** Runs once a second. */
  tick?(): void;
  /** Releases everything. */
  end(): void;
}

/** The view without a session: it shows nothing. */
export const noView: View = { update: () => {}, end: () => {} };

export type MakeView = (host: RinglineElement, root: ShadowRoot, phone: Phone | undefined) => View;

/**
 * Defines an element, once per page. A change of one of `attributes` redraws it. The class is created in this function,
 * not at the top of the module, because a platform that only imports the module may have no HTMLElement.
 */
export function defineElement(name: string, attributes: readonly string[], makeView: MakeView): void {
  if (customElements.get(name)) return;
  customElements.define(
    name,
    class extends HTMLElement implements RinglineElement {
      static readonly observedAttributes = ["lang", ...attributes];
      private own: RinglineClient | undefined;
      private ownTexts: Partial<UITexts> | undefined;
      private view: View | undefined;
      private phone: Phone | undefined;
      private stops: (() => void)[] = [];

      connectedCallback(): void {
        for (const property of ["client", "texts"] as const) this.upgrade(property);
        if (!this.shadowRoot) adopt(this.attachShadow({ mode: "open", delegatesFocus: false }), styles);
        this.begin();
      }

      disconnectedCallback(): void {
        this.end();
      }

      attributeChangedCallback(): void {
        this.draw();
      }

      /** Moves the focus to the first button that it shows. */
      override focus(options?: FocusOptions): void {
        const button = this.shadowRoot?.querySelector<HTMLElement>("button:not([hidden], [hidden] *)");
        if (button) button.focus(options);
      }

      get client(): RinglineClient | undefined {
        return this.own;
      }

      set client(client: RinglineClient | undefined) {
        this.own = client ?? undefined;
        if (this.isConnected) this.begin();
      }

      get texts(): Partial<UITexts> | undefined {
        return this.ownTexts;
      }

      set texts(texts: Partial<UITexts> | undefined) {
        this.ownTexts = texts;
        this.draw();
      }

      /** A property set before the element was defined shadows the accessor defined here. */
      private upgrade(property: "client" | "texts"): void {
        if (!Object.prototype.hasOwnProperty.call(this, property)) return;
        const value = this[property];
        delete (this as Partial<RinglineElement>)[property];
        this[property] = value as never;
      }

      private begin(): void {
        this.end();
        const root = this.shadowRoot;
        if (!root) return;
        const phone = (this.phone = this.own ? phoneOf(this.own) : kitPhone.current);
        this.view = makeView(this, root, phone);
        this.stops = [kitPhone.subscribe(() => this.own || this.begin())];
        if (phone) this.stops.push(phone.board.subscribe(() => this.draw()));
        if (this.view.tick) {
          const timer = setInterval(() => this.view?.tick?.(), 1_000);
          this.stops.push(() => clearInterval(timer));
        }
        this.draw();
      }

      private end(): void {
        for (const stop of this.stops) stop();
        this.stops = [];
        this.view?.end();
        this.view = undefined;
      }

      private draw(): void {
        this.view?.update(this.words());
      }

      private words(): Words {
        const options = this.phone?.options ?? {};
        const nearest = this.closest("[lang]")?.getAttribute("lang") ?? "";
        const language = this.getAttribute("lang") || options.language || nearest || navigator.language;
        return { language, texts: textsOf(language, { ...options.texts, ...this.ownTexts }) };
      }
    },
  );
}
