// Package wire provides a TCP link between two processes that can be cut, delayed and reset. A message that
// passes can trigger the cut.
//
// Rules of the package:
//
//  1. Without a fault, the link passes every byte in order, and passes on the close of either end.
//  2. A cut direction loses nothing. Its bytes wait in the link and then in the sender's socket, as with lost
//     packets, and pass after Mend. Only Reset loses waiting bytes.
//  3. A trap stops the direction from client to server exactly before or after a message with a matching
//     subject. Nothing after that point passes until Mend or Reset.
package wire
