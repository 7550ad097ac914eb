// Package churn lets clients connect and drop at random while calls are made, and checks what each of them got to know.
//
// What it promises:
//
//  1. A client keeps the newest call by seq and derives what it would tell its app from the difference, as a real one
//     does; when it comes back it says what it shows.
//  2. What there was to know is taken from the stream of calls, and whom it is told from worker/call as it was built into
//     this program. Defects are planted in the processes that are checked, never here.
//  3. A violation is something that no right edge can have done: what a client had no time for is not looked at, and
//     every check says how much it looked at.
//
// One clock is supposed: that of the machine on which clients, brokers and workers run.
package churn
