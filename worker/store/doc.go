// Package store reads and writes calls and lines. No other package knows the streams in which they are stored.
//
// It guarantees:
//
//  1. Commit writes a transition only if the message that was read is still the newest on the call's subject. Otherwise it
//     returns ErrConflict. A commit whose ack was lost also returns ErrConflict when it is repeated: read the call from the
//     leader, and check whether it remembers the command.
//  2. A replica that lags may answer Load. The leader answers Lead. Every outcome that commits nothing must be decided on the
//     result of Lead.
//  3. A message on a call's subject that is not a transition of the call is skipped and reported. The next commit follows it.
//     A transition in a format that this build can't read is never skipped: every read that reaches it returns
//     *events.NewerFormatError. A call stays in the format in which it began.
//  4. A line holds a user's calls as entries. Each entry is live, in flight or dead (events.Entry). Claims are made one after
//     another in the order of user ids, by expected revision, and write the sequence of their call. Any worker may release or
//     replace a dead entry, and no other. A line full of live entries, judged at the leader, is busy.
//  5. A claim in flight makes other claims wait (ErrInFlight). A claim older than 30 s is replaced, but only after its call
//     was moved past it by expected sequence. So a paused worker that wakes up loses its commit.
//  6. The process remembers its writes to lines as hints, which save reads. A first claim and a release write with the revision
//     from the hint, and read only if that write fails.
//  7. Apps watches the settings of apps. A limit that can't be read keeps its last value. A token key or a revocation that
//     can't be read never lets a user in (events.AppSettingsInForce).
package store
