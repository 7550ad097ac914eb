// Package coordinator owns the state of calls: it handles commands, and it is the only writer of transitions.
// It holds nothing that matters, so any number of coordinators share the commands, and any may die at any time.
//
// For one command, in this order, each step repeatable:
//
//	load → decide → claim lines → commit → (release lines, write or remove deadlines, notify) → answer → acknowledge
//
// An invitation that nobody has handled before is not loaded: it is decided on a call that does not exist, as it will be most
// of the time, and its lines are taken to be empty. To the protocol that is a read that was answered by a replica that lags,
// which every step stands: the writes go through only where it was right.
//
// What it promises:
//
//  1. The commit decides who wins. Who loses it reads the call from the leader and decides again.
//  2. An outcome that commits nothing is decided on a call that was read from the leader.
//  3. An outcome that commits nothing is acknowledged first and told after, so a command that was refused can't
//     succeed later, and none is told two different things.
//  4. A command that is delivered again, whatever its worker had done before it died, changes nothing more; what
//     may not have been done (deadline, notifications, answer) is done again, with the same ids.
//  5. A command that could be read is never dropped. One that can't be read is kept on RINGLINE_REJECTED with the
//     reason, answered where there is an address, and given up.
//  6. Commands of one call are handled in the order of the stream within a worker; between workers the commit
//     decides.
//  7. Every invitation that reached its claims writes its call, also one that comes to nothing. One that meets the
//     call it crosses is written as merged, and accepts that call under the same command id.
//  8. A command that meets a call in a format that this version does not read is put back, until a newer coordinator
//     gets it: it is neither refused nor carried out on a guess.
//  9. An admission (exhausted, rate_limited) refuses a command on its first delivery only, before any claim, and as any refusal
//     it is acknowledged first and told after. So nothing was claimed or committed by it.
//
// Promise 9 needs more than that (tests/model, scenarios admit*). An admission
//
//   - tells only if no other worker can have the command meanwhile (worker.AckThen);
//   - never refuses an expire, whose callee would pend for ever;
//   - refuses only what was stored after this worker connected and its consumer was opened: a broker that is killed forgets how
//     often it delivered, and a consumer that is made anew too;
//   - refuses no invite or add that the call remembers: a sender may send one again that was carried out. It looks up a tenth
//     of what an app may send; beyond that the repeat is refused, and sent again later it gets its first answer.
package coordinator
