import type { Phone } from "./phone.js";

/** The phone of the kit's session, which every element without a client of its own shows. */
class KitPhone {
  current: Phone | undefined;
  private readonly watchers = new Set<() => void>();

  set(phone: Phone | undefined): void {
    if (this.current === phone) return;
    this.current = phone;
    for (const watcher of [...this.watchers]) watcher();
  }

  subscribe(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }
}

// Like the kit, of which there is one for the whole page.
export const kitPhone = /* @__PURE__ */ new KitPhone();
