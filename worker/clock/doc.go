// Package clock estimates broker time: the clock of the server that leads RINGLINE_COMMANDS. Decisions, deadlines and
// the expiry of tokens use it. Nothing depends on the wall clock of a worker's machine.
//
// A Clock keeps bounds on the difference between broker time and a monotonic local clock:
//
//   - The leader answers STREAM.INFO with its time. It reads that time after the request was sent and before the answer
//     arrived. That gives a lower and an upper bound, whose distance is the round trip.
//   - The timestamp of a received message is a lower bound.
//
// What it promises:
//
//  1. Now is at or after the timestamp of every message passed to Observe since the leader's last answer.
//  2. Each bound widens with time, because clocks may run at different speeds. So an answer with a short round trip
//     stays useful for long.
//  3. Bounds that contradict each other mean that the leader changed, that its clock was set, or that this machine was
//     suspended. Then the newest bound wins, and the older ones are dropped.
//  4. Setting the local wall clock changes nothing.
package clock
