// Package bench measures Ringline and, in the same run, the limit of the broker.
//
// A benchmark plays the calls of a mix in three ways:
//   - idle: one call after another
//   - most (closed loop): a fixed number of calls at the same time
//   - loaded (open loop): calls arrive at a rate, whether or not earlier calls are done
//
// In the loaded phase, times start when a call is due. A stalled system therefore cannot hide how long later calls wait.
//
// The floor is the same broker operations without Ringline. They are observed, not hard-coded. A census sends every
// command of the mix alone, while a plain subscription to all subjects records the messages. From the record it derives
// the messages, their sizes, their streams, and which operation waits for which reply. The floor replays exactly these
// operations, on copies of the streams with the same configuration, through the same client library. A second census
// counts the floor, more than once if concurrent operations looked sequential on a busy machine. A floor that does more than
// Ringline is an error.
package bench
