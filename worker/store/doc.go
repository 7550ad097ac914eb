// Package store reads and writes calls, lines, deadlines and the settings of apps. No other package knows how they are stored. It
// decides nothing: a write expects the revision that was read, and its caller decides what a conflict means.
//
// It guarantees:
//
//  1. Commit writes a transition only if the message that was read is still the newest on the call's subject. Otherwise it
//     returns ErrConflict. A commit whose ack was lost also returns ErrConflict when it is repeated: read the call from the
//     leader, and check whether it remembers the command.
//  2. A replica that lags may answer Load. The leader answers LoadFromLeader. Every outcome that commits nothing must be
//     decided on the result of LoadFromLeader.
//  3. A message on a call's subject that is not a transition of the call is skipped and reported. The next commit follows it.
//     A transition in a format that this build can't read is never skipped: every read that reaches it returns
//     *events.NewerFormatError. A call stays in the format in which it began.
//  4. A line holds a user's calls as entries. Write replaces them only if the line still has the revision of the Line that is
//     passed. Otherwise it returns ErrConflict.
//  5. The process remembers its writes to lines as hints, which save reads. Assume and Recall return a line from a hint. If the
//     hint is wrong, Write returns ErrConflict.
//  6. A deadline never moves. ArmDeadline may be repeated. RemoveDeadline does not wait for an ack, because a deadline that fires
//     anyway changes nothing.
//  7. Apps watches the settings of apps. A limit that can't be read keeps its last value. A token key or a revocation that
//     can't be read never lets a user in (events.AppSettingsInForce).
package store
