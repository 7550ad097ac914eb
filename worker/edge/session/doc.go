// Package session relays notifications to client sessions, and their commands to the coordinators: over WebSocket, HTTP
// streaming and SSE, in the centrifuge protocol.
//
// What it promises:
//
//  1. Who a session is comes from its token alone; so does the app. A device is the token's, or a tab of it, where the
//     token names one.
//  2. A session opens in this order: hear the user's subject, flush, read at the leader the calls on his line and those
//     that the client says it shows, send that snapshot in the reply, then release what arrived meanwhile. So nothing
//     falls between the snapshot and the first push.
//  3. A push is at least once, and may be older than what the client knows: it drops by seq. Nothing is lost as long as the
//     session lives: where NATS may have lost something (it reconnected, or reports a slow consumer), every session that it
//     concerns gets a new snapshot; and so does each that shows a call, once in a while, as core NATS may lose without
//     telling.
//  4. A client that reads too slowly is closed with a code, not waited for; it gets a snapshot when it is back.
//  5. What a client may do is bounded: its sessions, its address's, its commands a second and those under way, the size of
//     a message, what is held for it. What is refused is told with a code, and counted.
//  6. An edge that stops takes no new sessions, closes those that it has one after another over a while, so that they don't
//     all come to the next edge at once, and waits for no silent peer.
//  7. Nothing that people said to each other, and no token, gets into the log.
package session
