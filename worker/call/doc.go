// Package call decides what a command makes of a call. It is pure: no clock, no I/O, nothing shared; what it
// needs to know comes in as values, and what is to be done goes out as values.
//
// What it promises:
//
//  1. Decide looks at the newest transition of a call (its state and its memory of command ids), a command and
//     two times, and gives exactly one Outcome. The same input gives the same outcome, always.
//  2. A terminal state of an attempt stays, a call that ended stays ended, and seq grows by one.
//  3. A command that the call remembers changes nothing, and neither does one that is idempotent by state.
//  4. Permission is checked before everything else that depends on the call.
//  5. Notify derives who is told what from the transition alone, so telling it again tells the same.
//  6. Deadlines derives what the call waits for from the newest transition alone.
//
// Who acts on an Outcome, and in which order, stands in package coordinator.
package call
