import { createContext, runInContext } from "node:vm";
import WebSocket from "ws";

interface Wire {
  url: string;
  success?(): void;
  fail?(error: { errMsg: string }): void;
  complete?(): void;
  timeout?: number;
}

/** One socket of the phone, with WeChat's behavior. */
class Task {
  open = true; // it counts against the limit of five
  private readonly listeners = new Map<string, ((event: object) => void)[]>();
  private readonly ws: WebSocket;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly phone: FakePhone,
    { url, timeout = 60_000 }: Wire,
  ) {
    this.ws = new WebSocket(url);
    this.timer = setTimeout(() => this.ws.readyState === WebSocket.CONNECTING && this.ws.terminate(), timeout / phone.speed);
    this.ws.on("open", () => this.emit("open", {}));
    this.ws.on("message", (data, binary) => this.emit("message", { data: binary ? data : String(data) }));
    // No close event follows an error, as in some versions.
    this.ws.on("error", (error) => this.end("error", { errMsg: `connectSocket:fail ${error.message}` }));
    this.ws.on("close", (code, reason) => this.end("close", { code, reason: String(reason) }));
  }

  onOpen = (f: () => void): void => this.on("open", f);
  onMessage = (f: (event: object) => void): void => this.on("message", f);
  onError = (f: (event: object) => void): void => this.on("error", f);
  onClose = (f: (event: object) => void): void => this.on("close", f);

  send = ({ data, fail }: { data: string; fail?(error: object): void }): void => {
    if (this.ws.readyState !== WebSocket.OPEN) return fail?.({ errMsg: "sendSocketMessage:fail not connected" });
    this.ws.send(data);
  };

  /** A connecting socket can't be closed: it opens anyway, and stays open unless it is closed then. */
  close = ({ code, reason, fail }: { code?: number; reason?: string; fail?(error: object): void } = {}): void => {
    if (this.ws.readyState !== WebSocket.OPEN) return fail?.({ errMsg: "closeSocket:fail not connected" });
    this.ws.close(code, reason);
  };

  /** The platform closes it with that code, or silently without one. */
  take(code?: number): void {
    if (code === undefined) this.end("nothing", {});
    else this.end("close", { code, reason: "" });
    this.ws.terminate();
  }

  break(errMsg: string): void {
    this.end("error", { errMsg });
    this.ws.terminate();
  }

  private on(event: string, f: (event: object) => void): void {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), f]);
  }

  private end(event: string, details: object): void {
    if (!this.open) return;
    this.open = false;
    clearTimeout(this.timer);
    this.emit(event, details);
  }

  private emit(event: string, details: object): void {
    this.phone.wake();
    for (const f of this.listeners.get(event) ?? []) f(details);
  }
}

/** A phone with `wx`. Its sockets are real; the test controls everything else. */
export class FakePhone {
  readonly tasks: Task[] = [];
  readonly storage = new Map<string, string>();
  readonly warnings: string[] = [];
  /** The maximum number of sockets at the same time. */
  maxOpen = 0;
  limit = 5;
  /** How the next connectSocket fails: `fail` calls fail at once, `throw` throws, `nothing` returns no task. */
  next: "" | "fail" | "throw" | "nothing" = "";
  isConnected = true;
  isHidden = false;
  networkType = "wifi";
  /** How far the clock advanced while the app was suspended. */
  skipped = 0;
  /** The speedup of its timers. */
  speed = 1;
  readonly timers = new Set<NodeJS.Timeout>();
  readonly listeners = new Map<string, Set<(event: object) => void>>();
  wake = (): void => {};

  readonly wx = {
    connectSocket: (options: Wire): Task | Promise<unknown> | undefined => this.connect(options),
    getStorageSync: (key: string): string => this.storage.get(key) ?? "",
    setStorageSync: (key: string, value: string): void => void this.storage.set(key, value),
    onAppShow: this.adder("show"),
    offAppShow: this.remover("show"),
    onAppHide: this.adder("hide"),
    offAppHide: this.remover("hide"),
    onNetworkStatusChange: this.adder("network"),
    offNetworkStatusChange: this.remover("network"),
    getNetworkType: ({ success }: { success(status: object): void }): void => success({ networkType: this.networkType }),
    getRandomValues: ({ length, success }: { length: number; success(result: object): void }): void => {
      setImmediate(() => success({ randomValues: crypto.getRandomValues(new Uint8Array(length)).buffer }));
    },
  };

  get open(): Task[] {
    return this.tasks.filter((t) => t.open);
  }

  /** Its sockets are closed with code 1000, as WeChat does. With `silently` they die without an event. */
  hide(silently = false): void {
    this.isHidden = true;
    this.dispatch("hide", {});
    for (const t of this.open) t.take(silently ? undefined : 1000);
  }

  show(afterMs = 60_000): void {
    this.skipped += afterMs;
    this.isHidden = false;
    this.dispatch("show", {});
  }

  network(isConnected: boolean, networkType = isConnected ? "wifi" : "none"): void {
    Object.assign(this, { isConnected, networkType });
    if (!isConnected) for (const t of this.open) t.break("the network is gone");
    this.dispatch("network", { isConnected, networkType });
  }

  private connect(options: Wire): Task | Promise<unknown> | undefined {
    const { next } = this;
    this.next = "";
    if (next === "throw") throw new Error("connectSocket is not allowed");
    if (!options.success && !options.fail && !options.complete) return Promise.resolve(); // as uni-app does
    const refuse = (errMsg: string): undefined => void options.fail?.({ errMsg: `connectSocket:fail ${errMsg}` });
    if (next === "fail" || next === "nothing") refuse("url not in domain list");
    if (next === "nothing") return undefined;
    const why = this.isHidden ? "interrupted" : !this.isConnected ? "no network" : this.open.length >= this.limit ? "max" : "";
    if (why) refuse(why);
    const task = new Task(this, options);
    if (next === "fail" || why) task.take();
    else this.tasks.push(task);
    this.maxOpen = Math.max(this.maxOpen, this.open.length);
    return task;
  }

  private adder(event: string) {
    return (f: (event: object) => void): void => {
      this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(f));
    };
  }

  private remover(event: string) {
    return (f: (event: object) => void): void => void this.listeners.get(event)?.delete(f);
  }

  private dispatch(event: string, details: object): void {
    for (const f of [...(this.listeners.get(event) ?? [])]) f(details);
  }
}

// The globals of an engine of 2015. Everything else is removed from the context, methods too.
const globals =
  "Array ArrayBuffer Boolean DataView Date Error EvalError Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set String Symbol SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakSet decodeURI decodeURIComponent encodeURI encodeURIComponent isFinite isNaN parseFloat parseInt undefined".split(
    " ",
  );
const younger = {
  Array: ["fromAsync"],
  Object: ["entries", "values", "fromEntries", "getOwnPropertyDescriptors", "hasOwn", "groupBy"],
  Promise: ["allSettled", "any", "withResolvers", "try"],
  Symbol: ["asyncIterator", "matchAll", "dispose", "asyncDispose"],
  "Array.prototype": ["includes", "flat", "flatMap", "at", "findLast", "findLastIndex", "toSorted", "toReversed", "toSpliced", "with"],
  "Uint8Array.prototype.__proto__": ["includes", "at", "findLast", "findLastIndex", "toSorted", "toReversed", "with"],
  "String.prototype": ["padStart", "padEnd", "trimStart", "trimEnd", "matchAll", "replaceAll", "at", "isWellFormed", "toWellFormed"],
  "Promise.prototype": ["finally"],
  "RegExp.prototype": ["dotAll", "hasIndices", "unicodeSets"],
  "Symbol.prototype": ["description"],
};

// WeChat's Promise on iOS up to 15: a continuation runs in a task of its own.
const late = `(setTimeout) => class Late extends Promise {
  then(f, g) {
    const soon = (h) => typeof h === "function" && ((x) => new Promise((done) => setTimeout(done)).then(() => h(x)));
    return super.then(soon(f), soon(g));
  }
}`;

export interface Loaded<Module> {
  module: Module;
  /** Names outside ES2015 and mini-programs that the code looked up. */
  touched: string[];
}

/**
 * Loads a CommonJS file as a mini-program does: with ES2015, timers, console, and the phone's `wx` under the given
 * names. Any other free name is recorded, and is an error even for typeof.
 */
export function load<Module>(code: string, phone: FakePhone, names: ("wx" | "uni")[] = ["wx"], latePromise = false): Loaded<Module> {
  const context = createContext({});
  const cuts = Object.entries(younger).map(([of, list]) => list.map((name) => `delete ${of}[${JSON.stringify(name)}];`).join(""));
  // The context's own Date, which advances while the phone is suspended.
  const date = `(skipped) => { const now = Date.now; Date.now = () => now() + skipped(); }`;
  runInContext(cuts.join(""), context);
  (runInContext(date, context) as (skipped: () => number) => void)(() => phone.skipped);

  const scope: Record<string, unknown> = {
    wx: undefined,
    uni: undefined,
    console: { warn: (text: string) => phone.warnings.push(text), error: (error: unknown) => phone.warnings.push(String(error)) },
    setTimeout: (f: () => void, ms: number) => {
      const timer = setTimeout(() => (phone.timers.delete(timer), f()), ms / phone.speed);
      phone.timers.add(timer);
      return timer;
    },
    clearTimeout: (timer: NodeJS.Timeout) => (phone.timers.delete(timer), clearTimeout(timer)),
  };
  for (const name of globals) scope[name] = runInContext(name, context);
  for (const name of names) scope[name] = phone.wx;
  if (latePromise) scope.Promise = (runInContext(late, context) as (setTimeout: unknown) => unknown)(setTimeout);
  const touched: string[] = [];
  const walls = new Proxy(scope, {
    has: () => true,
    get: (_, name) => {
      if (typeof name === "symbol") return undefined; // Symbol.unscopables
      if (name in scope) return scope[name];
      touched.push(name);
      throw new ReferenceError(`${name} is not here`);
    },
    set: (_, name) => {
      touched.push(`${String(name)} =`);
      return false;
    },
  });
  const module = { exports: {} };
  const run = runInContext(`(function (walls) { with (walls) { return function (module, exports) { ${code}\n } } })`, context) as (
    walls: object,
  ) => (module: object, exports: object) => void;
  run(walls)(module, module.exports);
  return { module: module.exports as Module, touched };
}

/** Converts values of the mini-program's realm, so that they can be compared with ours. */
export function plain<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}
