/** The part of `wx` that we use. `uni` has the same under the same names. */
export interface MiniPlatform {
  connectSocket(options: {
    url: string;
    tcpNoDelay: boolean;
    multiple: boolean;
    timeout: number;
    success(): void;
    fail(error: { errMsg?: string }): void;
    complete(): void;
  }): SocketTask | undefined;
  getStorageSync(key: string): unknown;
  setStorageSync(key: string, value: string): void;
  onAppShow?(listener: () => void): void;
  offAppShow?(listener: () => void): void;
  onAppHide?(listener: () => void): void;
  offAppHide?(listener: () => void): void;
  onNetworkStatusChange?(listener: (status: NetworkStatus) => void): void;
  offNetworkStatusChange?(listener: (status: NetworkStatus) => void): void;
  getNetworkType?(options: { success(status: { networkType?: string }): void; fail(): void }): void;
  getRandomValues?(options: { length: number; success(result: { randomValues: ArrayBuffer }): void; fail(): void }): void;
}

export interface NetworkStatus {
  isConnected: boolean;
  networkType?: string;
}

/** A socket. Its methods don't throw: failures go to `fail` or onError. */
export interface SocketTask {
  onOpen(listener: () => void): void;
  onMessage(listener: (message: { data: string | ArrayBuffer }) => void): void;
  onClose(listener: (close?: { code?: number; reason?: string }) => void): void;
  onError(listener: (error?: { errMsg?: string }) => void): void;
  send(options: { data: string; success(): void; fail(error: { errMsg?: string }): void }): void;
  close(options: { code: number; reason: string; success(): void; fail(): void }): void;
}

declare const wx: MiniPlatform | undefined;
declare const uni: MiniPlatform | undefined;

/**
 * The platform that runs this code. `wx` has priority over `uni`: when uni-app compiles for WeChat, its compiler
 * provides the name `uni`, which may be missing in a file that was compiled earlier.
 */
export function platformHere(): MiniPlatform | undefined {
  if (typeof wx !== "undefined" && typeof wx?.connectSocket === "function") return wx;
  if (typeof uni !== "undefined" && typeof uni?.connectSocket === "function") return uni;
  return undefined;
}
