// What stands in this bundle, and only in it, for globals that a mini-program has not: scripts/mini.mjs puts these in their
// place. All others that the client and centrifuge-js look for, such as fetch, are replaced by undefined.
import { getRandomValues } from "./random.js";

/** For globalThis: iOS has none before 12.2, and centrifuge-js looks there for what else it might use. */
export const miniGlobal = { Promise, console: typeof console === "undefined" ? undefined : console };

/** For crypto. */
export const miniCrypto = { getRandomValues };

export { miniEntries } from "./es2015.js";
