// Makes the file for mini-programs: ES2015, CommonJS, and nothing of a browser in it. build.mjs writes it to dist; alone:
// node scripts/mini.mjs FILE
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

// Free names that the client and centrifuge-js look for and that a mini-program has not. As undefined they make the branches
// that would use them go away; a new name that is forgotten here fails test/mini.test.ts.
const absent = [
  "AbortController", "BroadcastChannel", "Event", "EventSource", "EventTarget", "MessageEvent", "ReadableStream", "TextDecoder",
  "TextEncoder", "URL", "WebSocket", "addEventListener", "fetch", "localStorage", "location", "navigator", "performance",
  "reportError", "sessionStorage",
];

/** The kit's elements are a page's: what the kit wants of them is taken from elsewhere. */
const withoutElements = {
  name: "without-elements",
  setup(build) {
    build.onResolve({ filter: /^\.\/ui\/[a-z]+\.js$/ }, () => ({ path: resolve("src/mini/noelements.ts") }));
  },
};

/** The bundle's text. `options` are esbuild's. */
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

// ES2017, and in what esbuild itself adds for { ...a, b }, before everything else.
const descriptors = "Object.getOwnPropertyDescriptors";
const descriptorsOf =
  "(o=>Object.getOwnPropertyNames(o).concat(Object.getOwnPropertySymbols(o)).reduce((d,k)=>(d[k]=Object.getOwnPropertyDescriptor(o,k),d),{}))";

/** Its declarations: those of the package, and the platform that may be passed. */
export const miniTypes = `import type { InvitationEvents, KitConfig, LocalUser, RinglineClientOptions } from "./index.cjs";
import { Ringline as Kit, RinglineClient as AnyClient } from "./index.cjs";
export type * from "./index.cjs";
export { CallScenario, CallType, RinglineError } from "./index.cjs";

export interface MiniPlatform {
  /** uni, or what is like it, where neither wx nor uni is a global name. */
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
