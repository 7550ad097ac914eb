// Package device is a client session like that of a phone or a browser: a WebSocket to an edge, with the JSON protocol
// of Centrifuge. Socket is the bare connection below it, for tests that send what no client sends.
//
// Its promises:
//
//  1. It answers pings. It does nothing else by itself: no reconnect, and no change to a message.
//  2. The end of a session is a RefusedError if the edge sent a code, else the error of the connection.
//  3. Reset closes the connection with a TCP reset. Close sends a close frame first.
package device
