// Package worker is how any worker of Ringline runs: it consumes a durable pull consumer (run.go), each message
// leaves by one of three exits (exits.go), and every stream, bucket and consumer is declared here (streams.go).
//
// What it promises:
//
//  1. Run returns only once nothing of it runs any more. When its context ends it stops pulling, lets the
//     messages in hand finish, and puts back what did not.
//  2. Messages with the same key are handled one after another, in the order of the stream; others in parallel,
//     up to a bound. Nothing is pulled that there is no room for; what waits behind its key holds no hand.
//     Messages of different shares (apps) take turns. While others have work too, or had some within 10 s, one share has at most seven eighths of the
//     hands and three quarters of what can be held; beyond that a message is Crowded, and its handler turns it away:
//     it waits for no message and has hands of its own.
//  3. A message in hand is not redelivered to another worker while this one lives: its ack wait is extended.
//  4. A handler that panics puts its message back. A message is never given up.
//  5. Run reports its health as OK once the consumer is bound and the first pull has reached the server.
//  6. A consumer that was deleted, or whose server was restarted, is rebuilt, and the work goes on.
package worker
