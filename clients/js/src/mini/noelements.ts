// Replaces src/ui in the file for mini-programs, which has no elements. If the kit needs another name from it, the
// build fails until that name is added here.
import type { Call } from "../calls/shapes.js";
import type { RinglineClient } from "../client/client.js";
import type { CallInvitation } from "../client/options.js";

export class Phone {
  constructor(
    private readonly client: RinglineClient,
    private readonly userName: () => string,
  ) {}

  invite(invitation: CallInvitation, callID: string): Promise<Call> {
    const userName = this.userName();
    return this.client.invite({ ...invitation, callID, ...(userName ? { userName } : {}) });
  }
}

export function mount(): void {}

export function unmount(): void {}
