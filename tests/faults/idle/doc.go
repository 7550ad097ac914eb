// Package idle opens many idle sessions. It measures their cost, and the latency of a push to one of them.
//
// Rules of the package:
//
//  1. The cost of a session is the difference between many sessions and few, in the same process. So it does
//     not include what the process itself needs.
//  2. Every user has one session. This is the worst case, because sessions share nothing.
//  3. The server that Ringline is compared with does as little as possible. It relays messages from NATS with
//     the same library. It checks no tokens and decodes no calls.
package idle
