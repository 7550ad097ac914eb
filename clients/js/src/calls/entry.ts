import type { Callback, CallStart } from "../api/callbacks.js";
import type * as wire from "../wire/messages.js";
import type { KnownCall } from "./known.js";

type How = CallStart["how"];

/** The commands of this client that explain how it got into a call. */
export interface Sent {
  /** Its invitations of one user, as long as their own call is unseen: the call id, and the callee. */
  readonly invitations: ReadonlyMap<string, string>;
  /** The attempts that it accepted: the call id and the attempt. */
  readonly accepts: ReadonlySet<string>;
}

export const nothingSent: Sent = { invitations: new Map(), accepts: new Set() };

/** The number of commands that are remembered. */
const remembered = 256;

/** Remembers an invitation of a single user. The server may merge it into a call of that user. */
export function sentInvitation(sent: Sent, callID: string, callee: string): Sent {
  return { ...sent, invitations: new Map([...sent.invitations, [callID, callee] as const].slice(-remembered)) };
}

export function sentAccept(sent: Sent, callID: string, attempt: number | undefined): Sent {
  return { ...sent, accepts: new Set([...sent.accepts, acceptKey(callID, attempt)].slice(-remembered)) };
}

/** Forgets an invitation: its own call was seen, or the server refused it. */
export function withoutInvitation(sent: Sent, callID: string): Sent {
  if (!sent.invitations.has(callID)) return sent;
  return { ...sent, invitations: new Map([...sent.invitations].filter(([id]) => id !== callID)) };
}

function acceptKey(callID: string, attempt = 0): string {
  return `${callID} ${attempt}`;
}

/** How this device enters a call with a certain frame. */
export class Entry {
  constructor(
    private readonly sent: Sent,
    /** The frame is the first snapshot of this client. */
    private readonly isFirst: boolean,
    /** The verb of this client's command that the frame answers, or `take` if it reports that this user took the call. */
    private readonly verb: string,
  ) {}

  ofCaller(before: KnownCall | undefined): How {
    if (this.verb === "take" || before?.place === "elsewhere") return "taken";
    return this.isFirst && !before ? "restored" : "answered";
  }

  ofCallee(before: KnownCall | undefined, call: wire.View, own: wire.Callee): How {
    const wasIn = before?.place === "elsewhere" && before.call.callees.some((x) => x.user_id === own.user_id && x.attempt === own.attempt);
    if (this.verb === "take" || wasIn) return "taken";
    if (this.isFirst && !before) return "restored";
    const { accepts, invitations } = this.sent;
    if (accepts.has(acceptKey(call.call_id, own.attempt)) || accepts.has(acceptKey(call.call_id))) return "accepted";
    const wasMerged = this.verb === "invite" || [...invitations.values()].includes(call.caller?.user_id ?? "");
    return wasMerged ? "glare" : "accepted";
  }
}

export function started(call: wire.View, how: How): Callback {
  return { name: "onCallStarted", args: [call.call_id, call.room_id, { callType: call.call_type, how }] };
}
