// Package wire is a TCP link between two processes that can be cut, slowed down and torn, at a moment that is chosen by
// what passes on it.
//
// What it promises:
//
//  1. Without a fault it passes every byte in order, and closes what either end closes.
//  2. A cut direction loses nothing: its bytes wait in the link and then in the sender's socket, as with lost packets,
//     and pass once it is mended. Only Reset loses what waits.
//  3. A trap stops the direction from client to server exactly before or after a message for a subject that it was
//     told of; nothing behind that passes until Mend or Reset.
package wire
