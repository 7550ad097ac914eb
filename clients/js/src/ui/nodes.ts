/** The content of a shadow tree. It is never built from markup in a text, because names come from other users. */
type Child = Node | string | undefined;

export function node<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((c): c is Node | string => c !== undefined));
  return element;
}

function shape(tag: string, attributes: Record<string, string>): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

const handset =
  "M6.6 10.8c1.4 2.8 3.8 5.1 6.6 6.6l2.2-2.2c.3-.3.7-.4 1-.2 1.1.4 2.3.6 3.6.6.6 0 1 .4 1 1V20c0 .6-.4 1-1 1-9.4 0-17-7.6-17-17 0-.6.5-1 1-1h3.5c.6 0 1 .4 1 1 0 1.3.2 2.5.6 3.6.1.3 0 .7-.2 1z";
const paths = {
  voice: { d: handset },
  video: { d: "M17 10.5V7c0-.6-.4-1-1-1H4c-.6 0-1 .4-1 1v10c0 .6.4 1 1 1h12c.6 0 1-.4 1-1v-3.5l4 4v-11z" },
  hangUp: { d: handset, transform: "rotate(135 12 12)" },
  bell: {
    d: "M12 22a2 2 0 0 0 2-2h-4a2 2 0 0 0 2 2m6-6v-5c0-3.1-1.6-5.6-4.5-6.3V4a1.5 1.5 0 0 0-3 0v.7C7.6 5.4 6 7.9 6 11v5l-2 2v1h16v-1z",
  },
  sound: { d: "M3 9v6h4l5 5V4L7 9zm13.5 3A4.5 4.5 0 0 0 14 8v8a4.5 4.5 0 0 0 2.5-4M14 3.2v2.1a7 7 0 0 1 0 13.4v2.1a9 9 0 0 0 0-17.6" },
} as const;
export type Icon = keyof typeof paths;

export function icon(name: Icon): SVGElement {
  const svg = shape("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" });
  svg.append(shape("path", { ...paths[name] }));
  return svg;
}

/** A circle around a node, of which a part can be shown. */
export class Circle {
  readonly svg: SVGElement;
  private readonly arc: SVGElement;

  constructor() {
    const circle = { cx: "50", cy: "50", r: "47", pathLength: "100" };
    this.svg = shape("svg", { viewBox: "0 0 100 100", class: "ring", part: "ring", "aria-hidden": "true" });
    this.arc = shape("circle", { ...circle, class: "left" });
    this.svg.append(shape("circle", { ...circle, class: "track" }), this.arc);
  }

  /** The visible share, from 1 to 0. */
  set left(share: number) {
    this.arc.style.strokeDashoffset = String(100 - 100 * share);
  }
}

/** Sets a text only if it differs, so that a screen reader does not repeat it. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === "";
}

let shared: CSSStyleSheet | undefined;

/**
 * Adopts a style sheet that all shadow trees share. Browsers without that feature get a style element, which a strict
 * policy may refuse.
 */
export function adopt(root: ShadowRoot, css: () => string): void {
  try {
    if (!shared) (shared = new CSSStyleSheet()).replaceSync(css());
    root.adoptedStyleSheets = [shared];
  } catch {
    root.append(node("style", {}, css()));
  }
}

/** A number that is always the same for a user. */
export function hueOf(userID: string): number {
  let hash = 7;
  for (const c of userID) hash = (hash * 31 + (c.codePointAt(0) ?? 0)) % 360;
  return hash;
}

/** One or two letters of a name. */
export function initials(name: string): string {
  const words = name.trim().split(/[\s._-]+/u).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words[words.length - 1] : undefined].map((word) => [...(word ?? "")][0] ?? "");
  return letters.join("").toUpperCase();
}
