// Package clock tells broker time: the time on the clock of the server that leads RINGLINE_COMMANDS. Decisions, deadlines and the
// expiry of tokens use it. The wall clock of a worker's machine decides nothing.
//
// A Clock keeps the bounds of the difference between broker time and a local clock that is monotonic:
//
//   - The leader answers STREAM.INFO with its time, which it read after the request was sent and before the answer came. That is an upper
//     and a lower bound, as far apart as the round trip took.
//   - The timestamp of a message that has come is a lower bound.
//
// What it promises:
//
//  1. Now is at or after the timestamp of every message that Heard was given since the leader last gave its time.
//  2. Each bound moves outward with time, as clocks may run at different speeds. Answers with a short round trip so count for long.
//  3. Bounds that contradict each other mean that the leader changed, that its clock was set, or that this machine was suspended. The
//     newest bound counts then, and the older ones are forgotten.
//  4. Setting the local wall clock changes nothing.
package clock
