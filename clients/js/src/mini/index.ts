// The entry point of dist/ringline.mini.js: the kit and the client for mini-programs, without elements.
import type { InvitationEvents } from "../api/callbacks.js";
import { RinglineError } from "../api/error.js";
import { RinglineClient as AnyClient } from "../client/client.js";
import type { RinglineClientOptions } from "../client/options.js";
import { Ringline as Kit, type LocalUser } from "../kit/kit.js";
import type { KitConfig } from "../kit/kitsession.js";
import { NetworkEvents } from "./network.js";
import { platformHere, type MiniPlatform } from "./platform.js";
import { drawFrom } from "./random.js";
import { webSocketOf } from "./socket.js";
import { storagesOf } from "./storage.js";

export { CallType } from "../api/callbacks.js";
export { RinglineError } from "../api/error.js";
export { CallScenario } from "../kit/kitsession.js";
export type { LocalUser } from "../kit/kit.js";

/**
 * The platform object to use if `wx` and `uni` don't exist, as in uni-app's builds for other platforms: `uni` or an
 * equivalent.
 */
interface Platform {
  platform?: MiniPlatform;
}

type MiniOptions = Required<Pick<RinglineClientOptions, "transports" | "webSocket" | "storage" | "networkEventTarget">>;

function optionsFor(platform: MiniPlatform | undefined): MiniOptions {
  if (!platform) {
    throw new RinglineError("invalid_argument", "platform: neither wx nor uni exists; pass one, for example { platform: uni }");
  }
  drawFrom(platform);
  return {
    transports: ["websocket"],
    webSocket: webSocketOf(platform),
    storage: storagesOf(platform),
    networkEventTarget: new NetworkEvents(platform) as unknown as EventTarget,
  };
}

export class RinglineClient extends AnyClient {
  constructor({ platform = platformHere(), ...options }: RinglineClientOptions & Platform) {
    super({ ...optionsFor(platform), ...options });
  }
}

export const Ringline = {
  ...Kit,
  async init(
    appID: string | number,
    server: string | readonly string[],
    userID: string,
    userName: string,
    token: string,
    config?: KitConfig & Platform,
    invitationEvents?: InvitationEvents,
  ): Promise<LocalUser> {
    const { platform = platformHere(), ...own } = config ?? {};
    const all: KitConfig = { ...optionsFor(platform), ...own, ui: false };
    return Kit.init(appID, server, userID, userName, token, all, invitationEvents);
  },
  RinglineClient,
};

drawFrom(platformHere()); // long before the first id is generated
