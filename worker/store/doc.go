// Package store keeps the calls and the lines. It alone knows in which stream a call lives, and how calls and
// lines are read and written.
//
// What it promises:
//
//  1. Commit writes a transition if and only if nothing stands on the call's subject that the caller has not
//     seen; else it gives ErrConflict. A commit whose acknowledgement was lost also gives ErrConflict: read the
//     call from the leader, and see whether it remembers the command.
//  2. Load may be answered by a replica that lags. Lead is answered by the leader: every outcome that commits
//     nothing must be decided on it.
//  3. What stands on a call's subject and is no transition of it is passed over and reported; the next commit
//     steps over it. A transition in a format that this build does not read is no such thing: whoever meets one, as
//     the newest or on the way, gets *events.NewerFormatError. A call stays in the format in which it began.
//  4. A line holds a user's calls as entries, each live, in flight or dead (events.Entry). Claims are made one after
//     another in the order of user ids, each by revision, and always write their own sequence. Only dead entries
//     are released or replaced, by anybody. A full line of live entries, judged at the leader, means busy.
//  5. A claim in flight is waited for (ErrInFlight). One that is older than 30 s is replaced only after its call was
//     moved past it by expected sequence, so that a paused worker that wakes up loses its commit.
//  6. What this process wrote to a line it remembers, as a hint that saves a read: a claim that is made for the first time and a
//     release write without one, by revision, and read where that fails.
//  7. Apps hears of changes to an app's settings as they are made; what can't be read changes nothing.
package store
