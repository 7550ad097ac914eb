import assert from "node:assert/strict";
import { test } from "node:test";
import { Commands } from "../src/client/commands.js";
import { RinglineError } from "../src/api/error.js";
import { FakeClock, FakeSession, rejected, settle } from "./fakes.js";
import { call } from "./world.js";

function world() {
  const clock = new FakeClock();
  const session = new FakeSession({} as never, {} as never);
  const answers: unknown[] = [];
  const commands = new Commands((m, d) => session.request(m, d), (a) => answers.push(a), clock);
  commands.up();
  const sent = () => session.requests.map((r) => `${r.method} ${String(r.data.call_id)}`);
  return { clock, session, commands, answers, sent };
}

const ok = { ok: true, call: call(2) };
const error = (code: string) => ({ ok: false, error: { code, message: "so" } });

test("commands about one call are sent one after another, those about other calls in parallel", async () => {
  const { session, commands, sent } = world();
  void commands.run("accept", "c1", {}, 1000).catch(() => {});
  void commands.run("leave", "c1", {}, 1000).catch(() => {});
  void commands.run("cancel", "c2", {}, 1000);
  assert.deepEqual(sent(), ["accept c1", "cancel c2"]);
  session.requests[0]?.answer(error("not_pending"));
  await settle();
  assert.deepEqual(sent(), ["cancel c2", "leave c1"]);
});

test("a cancel or add that waits behind an add or cancel has seen its outcome; other commands have not", async () => {
  const queued = { seen: 1, callees: ["carol"] };
  for (const [first, next, seen] of [
    ["add", "cancel", 3],
    ["cancel", "add", 3],
    ["ring", "cancel", 1],
    ["add", "leave", 1],
    ["add", "end", 1],
    ["cancel", "take", 1],
  ] as const) {
    const { session, commands } = world();
    void commands.run(first, "c1", queued, 1000);
    void commands.run(next, "c1", queued, 1000);
    session.request1.answer({ ok: true, call: call(3) });
    await settle();
    const { method, data } = session.request1;
    assert.deepEqual([method, data.seen], [next, seen], `${next} behind ${first}`);
  }
});

test("a command that was sent keeps what it has seen, and one without stays without", async () => {
  const { session, commands } = world();
  void commands.run("add", "c1", { seen: 1 }, 15_000);
  void commands.run("cancel", "c1", { seen: 1, callees: ["carol"] }, 15_000).catch(() => {});
  void commands.run("cancel", "c1", { callees: ["carol"] }, 15_000).catch(() => {});
  session.request1.answer({ ok: true, call: call(3) });
  await settle();
  const { data } = session.request1;
  commands.down();
  session.request1.lose();
  await settle();
  commands.up();
  assert.deepEqual(session.request1.data, data);
  session.request1.answer({ ok: false, error: { code: "not_pending", message: "" }, call: call(4) });
  await settle();
  assert.equal("seen" in session.request1.data, false);
});

test("at most 8 are in flight", async () => {
  const { session, commands, sent } = world();
  for (let i = 0; i < 12; i++) void commands.run("get", `c${i}`, {}, 1000);
  assert.equal(sent().length, 8);
  session.requests[0]?.answer(ok);
  await settle();
  assert.equal(sent().length, 8);
  assert.ok(sent().includes("get c8"));
});

test("an answer resolves with the call, a refusal rejects with its code; both update the state", async () => {
  const { session, commands, answers } = world();
  const first = commands.run("accept", "c1", { attempt: 2 }, 1000);
  const { method, data } = session.request1;
  assert.equal(method, "accept");
  assert.match(String(data.command_id), /^[a-z0-9]{25}$/);
  assert.deepEqual(data, { command_id: data.command_id, call_id: "c1", attempt: 2 });
  session.request1.answer(ok);
  assert.equal((await first).call?.seq, 2);
  const second = commands.run("accept", "c1", {}, 1000);
  session.request1.answer({ ...error("answered_elsewhere"), call: call(3) });
  const e = await rejected(second);
  assert.deepEqual([e.code, e.message, e.callID], ["answered_elsewhere", "so", "c1"]);
  assert.equal(answers.length, 2);
});

test("an unknown code becomes internal, and so does an unreadable answer", async () => {
  for (const answer of [error("brand_new"), { what: 1 }, { ok: true, call: 7 }]) {
    const { session, commands } = world();
    const done = commands.run("end", "c1", {}, 1000);
    session.request1.answer(answer);
    assert.equal((await rejected(done)).code, "internal");
  }
});

test("after a reconnect a lost command is sent again with the same id, and the waiting ones follow", async () => {
  const { session, commands, sent } = world();
  const accept = commands.run("accept", "c1", {}, 15_000);
  const id = session.request1.data.command_id;
  commands.down();
  session.request1.lose();
  await settle();
  const leave = commands.run("leave", "c1", {}, 15_000);
  assert.deepEqual(sent(), []);
  commands.up();
  assert.deepEqual(sent(), ["accept c1"]);
  assert.equal(session.request1.data.command_id, id);
  session.request1.answer(ok);
  await accept;
  await settle();
  assert.deepEqual(sent(), ["leave c1"]);
  assert.notEqual(session.request1.data.command_id, id);
  session.request1.answer(ok);
  await leave;
});

for (const code of ["rate_limited", "unavailable"]) {
  test(`${code} is retried with the same id after growing pauses, until the deadline`, async () => {
    const { clock, session, commands } = world();
    const done = rejected(commands.run("end", "c1", {}, 15_000));
    const ids = new Set<unknown>();
    let tries = 0;
    while (clock.time < 15_000) {
      for (const r of [...session.requests]) {
        tries++;
        ids.add(r.data.command_id);
        r.answer(error(code));
        await settle();
        assert.equal(session.requests.length, 0, "no pause");
      }
      await clock.pass(50);
    }
    assert.equal((await done).code, code);
    assert.equal(ids.size, 1);
    assert.ok(tries >= 6 && tries <= 20, `${tries} tries`);
    assert.equal(clock.pending, 0);
  });
}

test("no answer before the deadline: timeout if it was sent, disconnected if not; a later answer changes nothing", async () => {
  const { clock, session, commands, answers } = world();
  const sent = rejected(commands.run("accept", "c1", {}, 1000));
  const late = session.request1;
  await clock.pass(999);
  commands.down();
  const never = rejected(commands.run("accept", "c2", {}, 1000));
  await clock.pass(1);
  assert.equal((await sent).code, "timeout");
  await clock.pass(1000);
  assert.equal((await never).code, "disconnected");
  late.answer(ok);
  await settle();
  assert.equal(answers.length, 1, "the state is still updated");
  assert.equal(clock.pending, 0);
});

test("the next command of a call is sent after a deadline", async () => {
  const { clock, commands, sent } = world();
  void commands.run("accept", "c1", {}, 1000).catch(() => {});
  void commands.run("leave", "c1", {}, 5000).catch(() => {});
  await clock.pass(1000);
  assert.deepEqual(sent(), ["accept c1", "leave c1"]);
});

test("a refusal by the connection is not retried", async () => {
  const { session, commands } = world();
  const done = commands.run("accept", "c1", {}, 1000);
  session.request1.refuse(new RinglineError("internal", "no such method"));
  assert.equal((await rejected(done)).code, "internal");
});

test("an invitation that was not sent is dropped by each command that ends it", async () => {
  for (const verb of ["cancel", "leave", "end"] as const) {
    const { clock, commands, sent } = world();
    commands.down();
    const invite = rejected(commands.run("invite", "c1", {}, 1000));
    const ended = rejected(commands.run(verb, "c1", {}, 1000));
    assert.equal((await invite).code, "call_ended");
    assert.equal((await ended).code, "not_found");
    commands.up();
    assert.deepEqual(sent(), []);
    assert.equal(clock.pending, 0);
  }
});

test("an invitation that was sent may ring, so it is canceled", async () => {
  const { session, commands, sent } = world();
  const invite = commands.run("invite", "c1", {}, 1000);
  commands.down();
  session.request1.lose();
  await settle();
  const cancel = commands.run("cancel", "c1", {}, 1000);
  commands.up();
  assert.deepEqual(sent(), ["invite c1"]);
  session.request1.answer(ok);
  await invite;
  await settle();
  session.request1.answer(ok);
  await cancel;
});

test("a ring command does not delay an answer", async () => {
  const { commands, sent } = world();
  commands.down();
  const ring = rejected(commands.run("ring", "c1", {}, 1000));
  void commands.run("accept", "c1", {}, 1000).catch(() => {});
  assert.equal((await ring).code, "not_pending");
  commands.up();
  assert.deepEqual(sent(), ["accept c1"]);
});

for (const verb of ["accept", "decline", "leave"] as const) {
  test(`a ring command in flight that fails does not delay ${verb}`, async () => {
    for (const fail of ["rate_limited", "unavailable", "lost"]) {
      const { clock, session, commands, sent } = world();
      const ring = rejected(commands.run("ring", "c1", {}, 60_000));
      void commands.run(verb, "c1", {}, 15_000).catch(() => {});
      assert.deepEqual(sent(), ["ring c1"]);
      if (fail === "lost") session.request1.lose();
      else session.request1.answer(error(fail));
      assert.equal((await ring).code, "not_pending");
      await settle();
      assert.deepEqual(sent(), [`${verb} c1`]);
      assert.equal(clock.pending, 1, "the deadline");
    }
  });
}

test("a ring command without an answer behind it is retried", async () => {
  const { clock, session, commands, sent } = world();
  void commands.run("ring", "c1", {}, 60_000).catch(() => {});
  void commands.run("get", "c1", {}, 60_000).catch(() => {});
  session.request1.answer(error("unavailable"));
  await settle();
  await clock.pass(1_000);
  assert.deepEqual(sent(), ["ring c1"]);
});

test("never sent although connected, because others went first: timeout, and it was not carried out", async () => {
  const { clock, commands } = world();
  void commands.run("accept", "c1", {}, 5_000).catch(() => {});
  const behind = rejected(commands.run("leave", "c1", {}, 1000));
  await clock.pass(1000);
  const e = await behind;
  assert.equal(e.code, "timeout");
  assert.doesNotMatch(e.message, /carried out/);
  assert.equal(commands.mayBeDone(e), false);
});

test("a cancel that names callees keeps an unsent invitation, and is sent after it", async () => {
  const { session, commands, sent } = world();
  commands.down();
  const invite = commands.run("invite", "c1", {}, 1000);
  const cancel = commands.run("cancel", "c1", { callees: ["bob"] }, 1000);
  commands.up();
  assert.deepEqual(sent(), ["invite c1"]);
  session.request1.answer(ok);
  await invite;
  await settle();
  assert.deepEqual(sent(), ["cancel c1"]);
  assert.deepEqual(session.request1.data.callees, ["bob"]);
  session.request1.answer(ok);
  await cancel;
});

test("reads have no command id", () => {
  const { session, commands } = world();
  void commands.run("get", "c1", {}, 1000);
  void commands.run("line", "", {}, 1000);
  assert.deepEqual(session.requests.map((r) => r.data), [{ call_id: "c1" }, {}]);
});

test("clear rejects everything and leaves no timer", async () => {
  const { clock, session, commands } = world();
  const all = ["c1", "c1", "c2"].map((id) => rejected(commands.run("end", id, {}, 1000)));
  session.requests[0]?.answer(error("unavailable"));
  await settle();
  commands.clear(new RinglineError("disconnected", "gone"));
  for (const e of await Promise.all(all)) assert.equal(e.code, "disconnected");
  assert.equal(clock.pending, 0);
});

test("a command that an answer's callback issues does not send the answered one again", async () => {
  const clock = new FakeClock();
  const session = new FakeSession({} as never, {} as never);
  const commands = new Commands((m, d) => session.request(m, d), () => void commands.run("ring", "c1", {}, 1000), clock);
  commands.up();
  const read = commands.run("get", "c1", {}, 1000);
  session.request1.answer(ok);
  await read;
  await settle();
  assert.equal(session.request1.method, "ring");
});
