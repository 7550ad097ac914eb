// Package worker runs the workers of Ringline. A worker pulls from a durable pull consumer (run.go). Each message ends with an
// ack, a nak or a term (exits.go). Package streams declares the consumers.
//
// Guarantees:
//
//  1. Run returns after its handlers have returned, unless one ignores the end of its context for longer than Drain. When its
//     own context ends, Run stops pulling, lets the messages in flight finish and naks the rest.
//  2. Messages with the same key are handled one at a time, in the order of the stream. Messages with different keys are
//     handled in parallel, up to Parallel at once. The worker pulls only what it has room for. A message that waits for its key
//     occupies no handler goroutine. Messages of different shares (apps) take turns. While other shares have work, or had some
//     within the last 10 s, one share may occupy at most 7/8 of the handlers and 3/4 of the messages in flight. A message above
//     that is Crowded, and its handler refuses it. Crowded messages wait for no other message and have handlers of their own.
//  3. A message in flight is leased: it is not redelivered to another worker while this one lives, because the worker extends
//     its ack wait. A worker that stalled loses the lease (Msg.Leased). Then its handler is not called, and an exit that another
//     worker could contradict becomes Abandon.
//  4. A handler receives a Msg, which only a Runner makes, outside of tests. A message without a lease is not handled.
//  5. A message whose handler panics is nak'ed. The worker never drops a message by itself; only a handler does, with Term.
//  6. Run reports OK to its health condition once the consumer is bound and the first pull has reached the server.
//  7. If the consumer is deleted or its server restarts, the worker opens or recreates the consumer and continues.
package worker
