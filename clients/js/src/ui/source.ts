import type { Phone } from "./phone.js";

/** The phone of the kit's session. Every element without a client of its own shows it. */
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

// A global like the kit, which exists once per page.
export const kitPhone = /* @__PURE__ */ new KitPhone();
