import type { Clock } from "./clock.js";
import { RinglineError } from "./error.js";
import { randomID } from "./random.js";
import type { Claims } from "./tokens.js";

/** What is needed of a storage; localStorage and sessionStorage are such. */
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

/** How long a tab that is being reloaded may still hold its id before it is taken for another one. */
const reloading = 300;

/** A device id, and how to give up the tab's part of it. */
export interface DeviceID {
  id: string;
  release(): void;
}

/**
 * Makes this tab's device id, `<stable>.<tab>`. The stable part is what the token fixes, else what the app chose, else
 * random and kept in local storage. The tab's part is kept in session storage, which outlives a reload; a duplicated tab
 * gets a copy of it, notices that it is in use, and takes another. It is the user's own, as there may be clients of several
 * in one page. Without a storage both last as long as the client.
 */
export async function acquireDevice(
  { app, userID, device: fixed }: Pick<Claims, "app" | "userID" | "device">,
  chosen: string | undefined,
  storages: Storages,
  clock: Clock,
): Promise<DeviceID> {
  if (fixed && chosen && fixed !== chosen) {
    throw new RinglineError("invalid_argument", `device: must be the token's, ${fixed}, got ${chosen}`);
  }
  const stable = fixed || chosen || (read(storages.local, stableKey) ?? write(storages.local, stableKey, randomID()));
  const key = `${tabKey}.${app}.${userID}`;
  const kept = read(storages.session, key);
  let release = kept === null ? undefined : await claim(key, kept, true, clock);
  let tab = kept;
  if (!release || tab === null) {
    tab = write(storages.session, key, randomID(8));
    release = kept === null && !storages.session ? () => {} : ((await claim(key, tab, false, clock)) ?? (() => {}));
  }
  return { id: `${stable}.${tab}`, release };
}

/** The browser's storages. Where they are denied, as in some private windows, even touching them throws. */
export function browserStorages(): Storages {
  const storages: Storages = {};
  try {
    if (typeof localStorage !== "undefined" && localStorage) storages.local = localStorage;
  } catch {
    // no device that lasts
  }
  try {
    if (typeof sessionStorage !== "undefined" && sessionStorage) storages.session = sessionStorage;
  } catch {
    // no tab that lasts
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
    // full or denied: it lasts as long as the client
  }
  return value;
}

/** Claims a tab's part for this page. Undefined: another page has it. `old` says that another page may. */
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

/** Where there are no locks, as on a page that is not secure, whoever has the same id says so. */
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
