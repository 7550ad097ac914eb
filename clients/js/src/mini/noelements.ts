// What stands for src/ui in the file for mini-programs, which has no elements. If the kit comes to need another name of it,
// that file can't be built until the name stands here.
import type { RinglineClient } from "../client.js";
import type { CallInvitation } from "../kit.js";
import type { Call } from "../shapes.js";

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
