import { RinglineClient } from "../src/client/client.js";
import { Phone } from "../src/ui/phone.js";
import { FakeClock, FakeSession, settle, token } from "./fakes.js";

/** A user's phone as the elements see it, with a session that the test controls. */
export async function phoneOf(user: string) {
  const clock = new FakeClock();
  let session: FakeSession | undefined;
  const client = new RinglineClient(
    { server: "https://edge.example.com", token: token(user), storage: null, device: "a" },
    { clock, makeSession: (o, l) => (session = new FakeSession(o, l)) },
  );
  const phone = new Phone(client, () => "", clock);
  const connected = client.connect();
  await settle();
  session!.connect([], { user_id: user, device_id: "a.1" });
  await connected;
  return { phone, client, clock, session: session! };
}

/** The cards of a phone, one line each, as a user sees them. */
export function seen({ board }: Phone): string[] {
  const { incoming, outgoing, active } = board.current;
  const over = (outcome: string | undefined): string => (outcome ? ` (${outcome})` : "");
  return [
    ...incoming.map((c) => `${c.caller.name} calls${over(c.outcome)}`),
    ...outgoing.map((c) => `to ${c.rows.map((r) => `${r.name} ${r.progress}`).join(", ")}${over(c.outcome)}`),
    ...active.map((c) => `with ${c.names.join(", ")}${over(c.outcome)}`),
  ];
}
