// Package call decides what a command changes in a call. It is pure: it has no clock, no I/O and no shared state. Its inputs
// and its decisions are values.
//
// It guarantees:
//
//  1. Decide takes the newest transition of a call (its state and the command ids that it remembers), a command and an Input.
//     It returns exactly one Outcome, and always the same one for the same arguments.
//  2. The terminal state of an attempt does not change, a call that has ended stays ended, and seq grows by one.
//  3. A command that the call remembers changes nothing. The repeat of a command that is idempotent by state changes nothing.
//  4. For a command that is not a repeat, permission is checked before everything else that depends on the call.
//  5. Notify derives the notifications from the transition alone, so a repeat gives the same notifications.
//  6. Deadlines derives the deadlines of a call from its newest transition alone.
//
// Package coordinator acts on an Outcome, and defines the order of the actions.
package call
