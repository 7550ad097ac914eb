import type { MiniPlatform } from "./platform.js";

const poolSize = 1024;
const poolLow = 256;

let pool: Uint8Array = new Uint8Array(0);
let used = 0;
let requesting = false;
let source: MiniPlatform | undefined;
let mixed = 0;

/** Sets the source of random bytes. */
export function drawFrom(platform: MiniPlatform | undefined): void {
  source = platform;
  refill();
}

/**
 * Returns bytes that the platform's generator delivered earlier, because it is asynchronous. While there are none, or
 * if the platform has no such generator, it uses Math.random mixed with the time. That is enough for ids: they must not
 * collide by accident, and knowing one grants no permission.
 */
export function getRandomValues(bytes: Uint8Array): Uint8Array {
  for (let i = 0; i < bytes.length; i++) bytes[i] = used < pool.length ? pool[used++]! : weakByte();
  refill();
  return bytes;
}

function weakByte(): number {
  mixed = (Math.imul(mixed ^ Date.now(), 0x9e3779b1) + Math.floor(Math.random() * 0x100000000)) >>> 0;
  return mixed >>> 24;
}

function refill(): void {
  if (requesting || pool.length - used >= poolLow || typeof source?.getRandomValues !== "function") return;
  requesting = true;
  source.getRandomValues({
    length: poolSize,
    success: ({ randomValues }) => {
      requesting = false;
      pool = new Uint8Array(randomValues);
      used = 0;
    },
    fail: () => (requesting = false),
  });
}
