// Replacements, in this bundle only, for globals that a mini-program lacks. scripts/mini.mjs inserts them. Other
// missing globals that the client and centrifuge-js look for, such as fetch, become undefined.
import { getRandomValues } from "./random.js";

/** For globalThis: iOS lacks it before 12.2, and centrifuge-js looks there for optional features. */
export const miniGlobal = { Promise, console: typeof console === "undefined" ? undefined : console };

/** For crypto. */
export const miniCrypto = { getRandomValues };

export { miniEntries } from "./es2015.js";
