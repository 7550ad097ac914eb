// Package broker holds what every part of a worker needs to talk to NATS: requests and writes that are retried, calls that run in
// parallel, and a limit for repeated log entries.
//
// Guarantees:
//
//  1. Request and Write retry for up to 15 s, which covers the election of a new stream leader. They give up once ctx has ended. A
//     refusal of the server is returned at once, as a *jetstream.APIError.
//  2. A write that was retried may have been stored before. Its caller must recognize that, by an expected sequence for example.
//  3. RunAll returns after all its functions have returned. A panic in one of them becomes an error (ErrPanic) without user data.
package broker
