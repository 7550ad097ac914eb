// Package abuse attacks an edge the way misbehaving clients would, with one kind of attack after another and
// with all at once. Meanwhile it measures the latency of honest clients.
//
// Rules of the package:
//
//  1. Every attempt has one outcome: the code that the edge sent, or another end. An outcome that its kind
//     does not expect is a violation. So is a kind whose required outcome never occurred.
//  2. Each kind has a source address of its own in 127.0.0.0/8, and a bounded rate.
//  3. The honest pairs ring, answer and end calls all the time, through the same edge.
package abuse
