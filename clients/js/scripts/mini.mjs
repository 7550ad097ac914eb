// Makes the file for mini-programs: ES2015, CommonJS, without browser APIs. build.mjs writes it to dist. To run it
// alone: node scripts/mini.mjs FILE
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

// Globals that the client and centrifuge-js look for and that a mini-program lacks. Defined as undefined, they disable
// the branches that use them. If a new name is missing here, test/mini.test.ts fails.
const absent = [
  "AbortController", "BroadcastChannel", "Event", "EventSource", "EventTarget", "MessageEvent", "ReadableStream", "TextDecoder",
  "TextEncoder", "URL", "WebSocket", "addEventListener", "document", "fetch", "localStorage", "location", "navigator", "performance",
  "reportError", "sessionStorage",
];

/** The kit's elements need a page, so the kit's imports from src/ui resolve to another file. */
const withoutElements = {
  name: "without-elements",
  setup(build) {
    build.onResolve({ filter: /^\.\.\/ui\/[a-z]+\.js$/ }, () => ({ path: resolve("src/mini/noelements.ts") }));
  },
};

/** Returns the text of the bundle. `options` are esbuild's. */
export async function mini(options = {}) {
  const { outputFiles } = await build({
    mainFields: ["module", "main"],
    charset: "utf8",
    logLevel: "warning",
    ...options,
    bundle: true,
    write: false,
    entryPoints: ["src/mini/index.ts"],
    format: "cjs",
    platform: "neutral",
    target: "es2015",
    minify: true,
    define: {
      ...Object.fromEntries(absent.map((name) => [name, "undefined"])),
      globalThis: "miniGlobal",
      crypto: "miniCrypto",
      "Object.entries": "miniEntries",
    },
    inject: ["src/mini/globals.ts"],
    plugins: [withoutElements],
  });
  return outputFiles[0].text.replace(descriptors, `${descriptors}||${descriptorsOf}`);
}

// Object.getOwnPropertyDescriptors is ES2017, and esbuild's own code for { ...a, b }, at the top of the file, uses it.
const descriptors = "Object.getOwnPropertyDescriptors";
const descriptorsOf =
  "(o=>Object.getOwnPropertyNames(o).concat(Object.getOwnPropertySymbols(o)).reduce((d,k)=>(d[k]=Object.getOwnPropertyDescriptor(o,k),d),{}))";

/** The declarations: those of the package, and the optional platform. */
export const miniTypes = `import type { InvitationEvents, KitConfig, LocalUser, RinglineClientOptions } from "./index.cjs";
import { Ringline as Kit, RinglineClient as AnyClient } from "./index.cjs";
export type * from "./index.cjs";
export { CallScenario, CallType, RinglineError } from "./index.cjs";

export interface MiniPlatform {
  /** uni or an equivalent, if neither wx nor uni is a global name. */
  platform?: object;
}

export declare class RinglineClient extends AnyClient {
  constructor(options: RinglineClientOptions & MiniPlatform);
}

export declare const Ringline: Omit<typeof Kit, "init" | "RinglineClient"> & {
  init(
    appID: string | number,
    server: string | readonly string[],
    userID: string,
    userName: string,
    token: string,
    config?: KitConfig & MiniPlatform,
    invitationEvents?: InvitationEvents,
  ): Promise<LocalUser>;
  RinglineClient: typeof RinglineClient;
};
`;

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  mkdirSync(dirname(process.argv[2]), { recursive: true });
  writeFileSync(process.argv[2], await mini());
}
