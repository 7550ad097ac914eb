import type { MiniPlatform, SocketTask } from "./platform.js";

/**
 * How long the platform may take to connect. The session gives up after 5 s. This closes a socket that it could not
 * close then.
 */
const connectWithin = 6_000;
const abnormal = 1006; // WebSocket's code for a broken connection

type State = 0 | 1 | 2 | 3; // WebSocket's: connecting, open, closing, closed

/** Makes a class like WebSocket over the sockets of a platform. */
export function webSocketOf(platform: MiniPlatform): new (url: string) => MiniSocket {
  return class extends MiniSocket {
    constructor(url: string) {
      super(platform, url);
    }
  };
}

/**
 * One connection, with the interface that centrifuge-js expects. It ends once, with one `onclose`, however many of
 * fail, onError and onClose the platform calls. Its task never stays open afterwards, because a mini-program may have
 * only 5.
 */
export class MiniSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null = null;
  onerror: ((event: { message: string }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readyState: State = 0;
  private readonly task: SocketTask | undefined;

  constructor(platform: MiniPlatform, url: string) {
    const nothing = (): void => {};
    const task = platform.connectSocket({
      url,
      tcpNoDelay: true,
      multiple: true, // otherwise uni-app returns no task on Alipay
      timeout: connectWithin,
      success: nothing, // without any of these three uni-app returns a promise
      fail: (error) => this.failSoon(error),
      complete: nothing,
    });
    if (typeof task?.onOpen !== "function") {
      this.failSoon({ errMsg: "connectSocket gives no SocketTask" });
      return;
    }
    this.task = task;
    task.onOpen(() => this.opened());
    task.onMessage((message) => {
      if (this.readyState === 1) this.onmessage?.({ data: message.data });
    });
    task.onError((error) => this.fail(error));
    task.onClose((close) => this.closed(close?.code ?? abnormal, close?.reason ?? ""));
  }

  send(data: string): void {
    if (this.readyState !== 1) throw new Error("the socket is not open");
    this.task?.send({ data, success: () => {}, fail: (error) => this.fail(error) });
  }

  close(code = 1000, reason = ""): void {
    if (this.readyState >= 2) return;
    this.readyState = 2;
    this.closeTask(code, reason);
  }

  private opened(): void {
    // Closing a task that is still connecting may fail, and the socket then opens anyway.
    if (this.readyState !== 0) return this.closeTask(1000, "");
    this.readyState = 1;
    this.onopen?.();
  }

  /** Fails before a listener can be attached. */
  private failSoon(error: { errMsg?: string }): void {
    void Promise.resolve().then(() => this.fail(error));
  }

  private fail(error: { errMsg?: string } | undefined): void {
    if (this.readyState >= 2) return this.closed(abnormal, "");
    const message = error?.errMsg ?? "the socket failed";
    warnOnce(message);
    this.closeTask(1000, "");
    this.onerror?.({ message });
    this.closed(abnormal, "");
  }

  private closed(code: number, reason: string): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  private closeTask(code: number, reason: string): void {
    this.task?.close({ code, reason, success: () => {}, fail: () => {} });
  }
}

const warned = new Set<string>();

/**
 * Logs that a domain is not on the platform's list, which nothing else reports. Each message appears once, because the
 * connection is retried.
 */
function warnOnce(message: string): void {
  if (warned.has(message) || typeof console === "undefined") return;
  warned.add(message);
  console.warn(`Ringline: ${message}`);
}
