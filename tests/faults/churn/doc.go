// Package churn makes clients connect and disconnect at random while calls are made, and checks what each
// client received.
//
// Rules of the package:
//
//  1. A client keeps the newest state of each call by seq, and reports the differences to its app, as a real
//     client does. When it reconnects, it sends the list of calls that it shows.
//  2. The expected facts come from RINGLINE_CALLS. Their receivers come from the worker/call built into this
//     program. Defects are planted in the processes under test, never here.
//  3. A violation is something that no correct edge can do. What a client had no time to receive is not
//     examined, and every check reports how much it examined.
//
// All times come from one clock: clients, brokers and workers run on the same machine.
package churn
