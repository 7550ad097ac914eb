// Package presence takes parties out of calls whose devices are gone. Each edge runs a checker.
//
// A party is watched if a client session put them in the call. When the last session of a device ends, its edge suspects
// the device. When the grace period is over, the edge asks all edges whether they know the device, and again Times.Beat
// later. Then it reads the calls of the user, and sends a drop for each call that the user is in with that device.
//
// What it promises:
//
//  1. A device with a session on any edge is not dropped. A device without one is dropped only after the grace period of
//     its app for that phase of the call. A device that is away has a longer grace period.
//  2. Time in which this process was paused, had no connection to NATS, or was cut off, does not count. After a lost
//     connection or a cut all checks begin again.
//  3. An edge that dies is noticed after Times.Lost. One of the other edges then checks every party of every call, and the
//     grace periods begin at that moment. The same check runs when the first edge starts, and every Times.Sweep.
//  4. If more than a fifth of the watched devices would be dropped within 10 s, all drops are held and the devices are
//     checked again, for at most 10 minutes: a mass disconnect usually heals.
//  5. In steady state nothing is written to the broker, and nothing is read. Edges send one small message every
//     Times.Beat. A session that ends costs one question to the other edges, and two more and two reads if the device stays
//     away. A drop counts for 10 s after its question, wherever it waits.
//
// The steps are modeled in tests/model/edges, with the reason for each rule.
package presence
