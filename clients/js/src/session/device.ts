import { RinglineError } from "../api/error.js";
import type { Clock } from "../platform/clock.js";
import { randomID } from "../platform/random.js";
import type { Claims } from "./tokens.js";

/** The required part of a storage. localStorage and sessionStorage satisfy it. */
export interface KeyValues {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** Where ids are kept: `local` for the device, `session` for the tab. */
export interface Storages {
  local?: KeyValues;
  session?: KeyValues;
}

const stableKey = "ringline.device";
const tabKey = "ringline.tab";

/** How long a tab that reloads may still hold its id. After that the holder counts as another tab. */
const reloading = 300;

/** A device id, and a function to release the tab's part of it. */
export interface DeviceID {
  id: string;
  release(): void;
}

/**
 * Makes this tab's device id, `<stable>.<tab>`.
 *
 * The stable part comes from the token, else from the app, else it is random and kept in local storage. The tab's part
 * is kept in session storage, which survives a reload. A duplicated tab gets a copy of it, detects that it is in use,
 * and makes a new one. Its key contains the app and the user, because several clients may share a page. Without a
 * storage both parts last as long as the client: `previous` is the id that it had before, and it keeps that whatever the
 * storages contain now, unless another page has taken it. `anew` makes another
 * part for the tab, because another page has this one.
 */
export async function acquireDevice(
  { app, userID, device: fixed }: Pick<Claims, "app" | "userID" | "device">,
  chosen: string | undefined,
  storages: Storages,
  clock: Clock,
  previous = "",
  anew = false,
): Promise<DeviceID> {
  if (fixed && chosen && fixed !== chosen) {
    throw new RinglineError("invalid_argument", `device: must be the token's, ${fixed}, got ${chosen}`);
  }
  const dot = previous.lastIndexOf(".");
  const before = previous.slice(0, Math.max(0, dot));
  const stable = fixed || chosen || before || (read(storages.local, stableKey) ?? write(storages.local, stableKey, randomID()));
  const key = `${tabKey}.${app}.${userID}`;
  const kept = anew ? null : previous.slice(dot + 1) || read(storages.session, key);
  if (kept !== null && !storages.session) return { id: `${stable}.${kept}`, release: () => {} };
  let release = kept === null ? undefined : await claim(key, kept, true, clock);
  let tab = kept;
  if (!release || tab === null) {
    tab = write(storages.session, key, randomID(8));
    release = kept === null && !storages.session ? () => {} : ((await claim(key, tab, false, clock)) ?? (() => {}));
  }
  return { id: `${stable}.${tab}`, release };
}

/** The browser's storages. If they are denied, as in some private windows, even reading the property throws. */
export function browserStorages(): Storages {
  const storages: Storages = {};
  try {
    if (typeof localStorage !== "undefined" && localStorage) storages.local = localStorage;
  } catch {
    // no persistent device part
  }
  try {
    if (typeof sessionStorage !== "undefined" && sessionStorage) storages.session = sessionStorage;
  } catch {
    // no persistent tab part
  }
  return storages;
}

function read(storage: KeyValues | undefined, key: string): string | null {
  try {
    return storage?.getItem(key) || null;
  } catch {
    return null;
  }
}

function write(storage: KeyValues | undefined, key: string, value: string): string {
  try {
    storage?.setItem(key, value);
  } catch {
    // full or denied: the id lasts as long as the client
  }
  return value;
}

/**
 * Claims a tab part for this page. Undefined means that another page holds it. `old` means that another page may hold
 * it.
 */
function claim(key: string, tab: string, old: boolean, clock: Clock): Promise<(() => void) | undefined> {
  if (typeof navigator !== "undefined" && navigator.locks) return lock(`${key}.${tab}`, clock);
  if (typeof BroadcastChannel !== "undefined") return ask(key, tab, old, clock);
  return Promise.resolve(() => {});
}

/** A web lock is held as long as the page lives. */
function lock(name: string, clock: Clock): Promise<(() => void) | undefined> {
  return new Promise((resolve) => {
    const abort = new AbortController();
    const stop = clock.after(reloading, () => abort.abort());
    navigator.locks
      .request(name, { signal: abort.signal }, () => {
        stop();
        return new Promise<void>((release) => resolve(release));
      })
      .catch(() => {
        stop();
        resolve(abort.signal.aborted ? undefined : () => {});
      });
  });
}

/** Without locks, as on an insecure page, a page that has the same id answers on a channel. */
async function ask(key: string, tab: string, old: boolean, clock: Clock): Promise<(() => void) | undefined> {
  const channel = new BroadcastChannel(key);
  const me = randomID(8);
  let taken = false;
  channel.onmessage = ({ data }: MessageEvent<{ tab?: string; ask?: string; taken?: string } | null>) => {
    if (data?.tab !== tab) return;
    if (data.ask !== undefined && data.ask !== me) channel.postMessage({ tab, taken: data.ask });
    if (data.taken === me) taken = true;
  };
  if (old) {
    channel.postMessage({ tab, ask: me });
    await new Promise<void>((resolve) => clock.after(reloading / 2, resolve));
  }
  if (!taken) return () => channel.close();
  channel.close();
  return undefined;
}
