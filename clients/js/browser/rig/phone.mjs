import { AssertionError, deepStrictEqual } from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { app } from "./cluster.mjs";
import { patience, quiet, until, within } from "./until.mjs";

/** Callbacks that may come in any order. */
export const anyOrder = (...callbacks) => ({ anyOrder: callbacks });

/** The callback of a phone that comes into a call. */
export const started = (callID, how, { roomID = callID, callType = 0 } = {}) => ["onCallStarted", callID, roomID, { callType, how }];

/** The callbacks of a phone that disconnects and reconnects. */
export const down = ["onConnectionStateChanged", "connecting"];
export const up = ["onConnectionStateChanged", "connected"];

/** The kit in a page returns a value or a RinglineError. This function returns or throws it here. */
function unwrap({ value, error }) {
  if (error) throw Object.assign(new Error(error.message), error);
  return value;
}

/** A page on which a user has called Ringline.init. */
export class Phone {
  /** The URLs of all requests of the page. */
  urls = [];
  /** The WebSockets that it opened. */
  sockets = [];
  /** Uncaught exceptions. */
  errors = [];
  /** This device, as the server knows it. */
  device = "";

  constructor(page, user) {
    this.page = page;
    this.user = user;
    this.id = user.userID;
    for (const [event, listener] of Object.entries(this.#listeners)) page.on(event, listener);
  }

  #listeners = {
    request: (request) => this.urls.push(request.url()),
    websocket: (socket) => this.sockets.push(socket) && this.urls.push(socket.url()),
    pageerror: (error) => this.errors.push(error.message),
  };

  /** Stops listening to its page. */
  drop() {
    for (const [event, listener] of Object.entries(this.#listeners)) this.page.off(event, listener);
  }

  get context() {
    return this.page.context();
  }

  /** Runs a function in the page. Returns its value or throws its error. */
  async inPage(f, arg) {
    const guarded = `async (arg) => {
      try { return { value: await (${f})(arg) } }
      catch (e) { return { error: { name: e.name, code: e.code, message: e.message } } }
    }`;
    const what = () => `an answer in the page of ${this.id} to ${f} with ${JSON.stringify(arg)}`;
    return unwrap(await within(2 * patience, this.page.evaluate(`(${guarded})(${JSON.stringify(arg)})`), what));
  }

  /** Loads the page from that origin. */
  async open(origin) {
    await this.page.goto(`${origin}/`);
  }

  /** Clears the browser's storage, as for a first visit. */
  async forget() {
    await this.page.evaluate("localStorage.clear(), sessionStorage.clear()");
  }

  /** Calls Ringline.init. */
  async init(options) {
    this.options = { app, user: this.user, ...options };
    const local = await this.inPage((o) => Ringline.init(...initArgs(o)), this.options);
    this.device = local.deviceID;
    return local;
  }

  /** Calls Ringline.init and does not wait for it. */
  async startInit(options) {
    this.options = { app, user: this.user, ...options };
    await this.inPage((o) => void Ringline.init(...initArgs(o)).catch(() => {}), this.options);
  }

  /** Stops the page for a while, as sleep does: it runs nothing, and what arrives waits. */
  async sleep(ms) {
    await this.inPage((ms) => {
      setTimeout(() => {
        const request = new XMLHttpRequest();
        request.open("GET", `/late?ms=${ms}`, false);
        request.send();
      });
    }, ms);
  }

  /** Reloads the page and calls Ringline.init as before. */
  async reload() {
    await this.page.reload();
    await this.init(this.options);
  }

  /** Calls a method of the kit. */
  press(method, ...args) {
    return this.inPage(([m, a]) => Ringline[m](...a), [method, args]);
  }

  /** Calls these users. */
  call(callees, options = {}) {
    return this.press("sendCallInvitation", { callees: callees.map((x) => x.user), callType: 0, timeout: 60, ...options });
  }

  /** The remaining ring time of the newest call, in milliseconds. */
  ringRemaining() {
    return this.inPage(() => Ringline.getCalls().at(-1).ringRemaining());
  }

  /** The paths of its connection attempts. */
  get attempts() {
    return this.urls.map((url) => new URL(url).pathname).filter((path) => path.startsWith("/connection/"));
  }

  /** Errors whatever the callbacks: uncaught exceptions, and tokens in URLs. A token begins with `{"` in base64. */
  get problems() {
    const leaks = this.urls.filter((url) => decodeURIComponent(url).includes("eyJ")).map((url) => `a token is in ${url}`);
    return [...this.errors, ...leaks].map((what) => `page of ${this.id}: ${what}`);
  }

  /** All callbacks so far. */
  received() {
    return this.page.evaluate("log");
  }

  /** Waits for exactly this callback. */
  async receives(...callback) {
    const message = async () => `${this.id} receives ${JSON.stringify(callback)}, but: ${JSON.stringify(await this.received())}`;
    await until(message, async () => (await this.received()).some((c) => isDeepStrictEqual(c, callback)));
  }

  /** Waits for the n-th connection state. The first connecting and connected are 1 and 2. */
  async reachesState(n) {
    const count = async () => (await this.received()).filter(([name]) => name === "onConnectionStateChanged").length;
    await until(async () => `${this.id} has ${n} states, but: ${await count()}`, async () => (await count()) >= n);
  }

  /** `by` for an action of this phone, as its own user and the caller see it: with the device. */
  get by() {
    return { kind: "user", userID: this.id, deviceID: this.device };
  }

  /** The same as all others see it: without the device. */
  get byUser() {
    return { kind: "user", userID: this.id };
  }
}

/** Waits until each phone has exactly its list of callbacks. `lists` is [phone, [callback…]]…. */
export async function receivedExactly(...lists) {
  for (const [phone, wanted] of lists) {
    const most = wanted.flatMap((w) => w.anyOrder ?? [w]).length + 2; // connecting and connected
    await until(
      async () => `${phone.id} receives ${most} callbacks, but: ${JSON.stringify(await phone.received())}`,
      async () => (await phone.received()).length >= most,
    );
  }
  await quiet(() => Promise.all(lists.map(([phone]) => phone.received())));
  for (const [phone, wanted] of lists) compare(phone, await phone.received(), wanted);
}

/** Makes lists equal that differ only where any order is allowed. */
function sorted(received, wanted) {
  const byText = (list) => list.map((c) => [JSON.stringify(c), c]).sort(([a], [b]) => (a < b ? -1 : 1)).map(([, c]) => c);
  const rest = [...received];
  const lists = wanted.map((w) => {
    const these = w.anyOrder ?? [w];
    return [byText(rest.splice(0, these.length)), byText(these)];
  });
  return [[...lists.flatMap(([h]) => h), ...rest], lists.flatMap(([, w]) => w)];
}

function compare(phone, received, wanted) {
  const [is, must] = sorted(received, [down, up, ...wanted]);
  try {
    deepStrictEqual(is, must);
  } catch (error) {
    if (error instanceof AssertionError) error.message = `callbacks of ${phone.id} (${phone.device}):\n${error.message}`;
    throw error;
  }
}
