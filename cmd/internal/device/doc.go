// Package device is a client session as a phone or a browser has it: a WebSocket to an edge, and the protocol of
// centrifuge in JSON over it. Beneath that is a bare socket, for who wants to send what no client would.
//
// What it promises:
//
//  1. It does nothing by itself but answer pings: it does not come back, and it takes and drops nothing.
//  2. Whatever ends a session is told as a RefusedError where the edge gave a code, and else as the error that it was.
//  3. Reset closes the connection so that the edge sees a reset; Close says goodbye first.
package device
