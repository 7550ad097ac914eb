// Polyfills of the few methods newer than ES2015 that the client and centrifuge-js call. WeChat and all recent engines
// have them, and then this file does nothing.

function add(prototype: object, name: string, value: (...args: never[]) => unknown): void {
  if (!(name in prototype)) Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
}

add(Array.prototype, "includes", function (this: unknown[], item: unknown): boolean {
  return this.some((x) => x === item || (x !== x && item !== item));
});

add(Array.prototype, "flat", function (this: unknown[]): unknown[] {
  return ([] as unknown[]).concat(...this);
});

add(Array.prototype, "flatMap", function (this: unknown[], f: (x: unknown, i: number) => unknown): unknown[] {
  return ([] as unknown[]).concat(...this.map((x, i) => f(x, i)));
});

add(String.prototype, "padStart", function (this: string, length: number, fill = " "): string {
  const missing = Math.max(0, length - this.length);
  return fill.repeat(missing).slice(0, missing) + String(this);
});

add(Promise.prototype, "finally", function (this: Promise<unknown>, f: () => unknown): Promise<unknown> {
  return this.then(
    (value) => Promise.resolve(f()).then(() => value),
    (error: unknown) =>
      Promise.resolve(f()).then(() => {
        throw error;
      }),
  );
});

/** For Object.entries. */
export function miniEntries(object: { [key: string]: unknown }): [string, unknown][] {
  return Object.keys(object).map((key): [string, unknown] => [key, object[key]]);
}
