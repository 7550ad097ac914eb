// Package store keeps the calls. It alone knows in which stream a call lives and how it is read and written.
//
// What it promises:
//
//  1. Commit writes a transition if and only if nothing stands on the call's subject that the caller has not
//     seen; else it gives ErrConflict. A commit whose acknowledgement was lost also gives ErrConflict: read the
//     call from the leader, and see whether it remembers the command.
//  2. Load may be answered by a replica that lags. Lead is answered by the leader: every outcome that commits
//     nothing must be decided on it.
//  3. What stands on a call's subject and is no transition of it is passed over and reported; the next commit
//     steps over it.
package store
