import type { KeyValues, Storages } from "../session/device.js";
import type { MiniPlatform } from "./platform.js";

/**
 * Both parts of the device id are kept in the app's storage. A mini-program runs once per phone, so it is always the
 * same tab. An app that was killed during a call is the same device when it opens again, and still in the call.
 */
export function storagesOf(platform: MiniPlatform): Storages {
  const storage: KeyValues = {
    getItem(key) {
      const value = platform.getStorageSync(key);
      return typeof value === "string" && value !== "" ? value : null;
    },
    setItem: (key, value) => platform.setStorageSync(key, value),
  };
  return { local: storage, session: storage };
}
