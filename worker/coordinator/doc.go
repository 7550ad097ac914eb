// Package coordinator owns the state of calls. It handles commands and is the only writer of transitions. A coordinator has no
// state of its own, so any number of coordinators share the commands, and any of them may crash at any time.
//
// The steps for one command, each repeatable:
//
//	load → decide → claim lines → commit → (release lines, write or remove deadlines, notify) → answer → acknowledge
//
// An invitation that appears not to have been handled before is not loaded. The coordinator assumes that its call does not
// exist and that its lines are empty, which is usually true. For the protocol, this equals a read from a lagging replica. Every
// step tolerates that: a write succeeds only if the assumption was right.
//
// Guarantees:
//
//  1. The commit decides which command wins. After a conflict, the coordinator reads the call from the leader and decides
//     again.
//
//  2. An outcome that commits nothing is decided on a call that was read from the leader.
//
//  3. An outcome that commits nothing is acked before it is answered. A refused command therefore can't succeed later, and no
//     sender receives two different results.
//
//  4. A redelivered command changes nothing more, wherever its previous worker died. Effects that may be missing (deadline,
//     notifications, answer) are repeated, with the same ids.
//
//  5. A well-formed command is never dropped. A malformed one is stored on RINGLINE_REJECTED with the reason, answered if it
//     has an answer token, and dropped.
//
//  6. Within a worker, the commands of one call are handled in the order of the stream. Between workers, the commit decides.
//
//  7. Every invitation that claimed lines writes its call, even if no callee rings. An invitation that crosses another one is
//     written as merged, and accepts that other call with the same command id.
//
//  8. A command for a call in a format that this version does not read is nak'ed with a delay until a newer coordinator
//     receives it. It is neither refused nor carried out on a guess.
//
//  9. An admission (exhausted, rate_limited) refuses a command only on its first delivery and before any claim. Like every
//     refusal, it is acked before it is answered. The command has therefore claimed and committed nothing.
//
//  10. Claims on lines are made one after another in the order of user ids, by expected revision, and write the sequence of their
//     call (lineclaims.go). An entry is live, in flight or dead (events.Entry). Any worker may release or replace a dead entry,
//     and no other. A line full of live entries, judged at the leader, is busy.
//
//  11. A claim in flight makes other claims wait. A claim older than 30 s is replaced, but only after its call was moved past it
//     by expected sequence. So a paused worker that wakes up loses its commit.
//
//  12. No decision begins, and no refusal is sent, for a message without a lease. A commit in flight is finished; after a
//     conflict the claimed lines are released (ADR 0009).
//
// Guarantee 9 needs more than that (tests/model, scenarios admit*). An admission
//
//   - answers only if no other worker can have the command (worker.AckThen);
//   - never refuses an expire or drop, because its callee would pend, or its party stay, forever;
//   - refuses only commands that were stored after this worker connected and opened its consumer, because a broker that crashes
//     loses its delivery counts, and so does a recreated consumer;
//   - refuses no invite or add that the call remembers, because a sender may repeat one that was carried out. It looks up at
//     most a tenth of the commands that an app may send. A repeat above that is refused. A later repeat receives the first
//     answer.
package coordinator
