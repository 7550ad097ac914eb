// Package idle opens many sessions that do nothing, and measures what they cost and how long a push to one of them takes.
//
// What it promises:
//
//  1. What a session costs is the difference between many sessions and few, in the same process: what the process needs by
//     itself is no part of it.
//  2. Every user has one session, which is the worst case: nothing is shared between them.
//  3. What Ringline is measured beside does as little as possible: it checks nothing, knows no user and reads no call. It
//     relays what NATS brings, and does that with the same library.
package idle
