import type { MiniPlatform, NetworkStatus } from "./platform.js";

type Listener = (event: { type: string }) => void;

/** After this time in the background a mini-program is suspended and its sockets are closed. */
const suspendedAfter = 5_000;

/**
 * Emits `online` and `offline` as a browser's window does. It emits both when the connection is no longer reliable:
 * after the app was in the background long enough to be suspended (its socket may be dead without a close), and when
 * the network changes from or to Wi-Fi. It also emits `hide` and `show`, which only a suspended app needs.
 */
export class NetworkEvents {
  private readonly listeners = new Map<string, Set<Listener>>();
  private hiddenAt: number | undefined;
  private networkType = "";
  private listening = false;

  constructor(private readonly platform: MiniPlatform) {}

  addEventListener(type: string, listener: Listener): void {
    const set = this.listeners.get(type) ?? new Set();
    this.listeners.set(type, set.add(listener));
    this.listen();
  }

  removeEventListener(type: string, listener: Listener): void {
    const set = this.listeners.get(type);
    set?.delete(listener);
    if (set?.size === 0) this.listeners.delete(type);
    if (this.listeners.size === 0) this.unlisten();
  }

  private dispatch(type: "online" | "offline" | "hide" | "show"): void {
    const set = this.listeners.get(type);
    for (const listener of [...(set ?? [])]) {
      if (set?.has(listener)) listener({ type });
    }
  }

  private readonly onHide = (): void => {
    this.hiddenAt = Date.now();
    this.dispatch("hide");
  };

  private readonly onShow = (): void => {
    const wasSuspended = this.hiddenAt !== undefined && Date.now() - this.hiddenAt >= suspendedAfter;
    this.hiddenAt = undefined;
    if (wasSuspended) this.dispatch("offline");
    this.dispatch("online");
    this.dispatch("show");
  };

  private readonly onChange = ({ isConnected, networkType = "" }: NetworkStatus): void => {
    const before = this.networkType;
    this.networkType = networkType;
    const changed = before !== networkType && (before === "wifi" || networkType === "wifi");
    if (!isConnected || (changed && before !== "" && before !== "none")) this.dispatch("offline");
    if (isConnected) this.dispatch("online");
  };

  private listen(): void {
    if (this.listening) return;
    this.listening = true;
    const { platform } = this;
    platform.onAppHide?.(this.onHide);
    platform.onAppShow?.(this.onShow);
    platform.onNetworkStatusChange?.(this.onChange);
    platform.getNetworkType?.({
      success: ({ networkType = "" }) => (this.networkType ||= networkType),
      fail: () => {},
    });
  }

  private unlisten(): void {
    this.listening = false;
    const { platform } = this;
    platform.offAppHide?.(this.onHide);
    platform.offAppShow?.(this.onShow);
    platform.offNetworkStatusChange?.(this.onChange);
  }
}
