// Package session relays notifications to client sessions, and the clients' commands to the coordinators. The
// transports are WebSocket, HTTP streaming and SSE, with the centrifuge protocol.
//
// What it promises:
//
//  1. The user and the app of a session come from its token only. If the token names a device, the session's device is
//     that one, or a tab of it.
//  2. A session opens in this order: subscribe to the user's subject, flush, read the calls from the leader, send the
//     snapshot in the connect reply, release the notifications that arrived meanwhile. The calls are those on the
//     user's line and those that the client says it shows. So nothing is lost between the snapshot and the first push.
//  3. Pushes are delivered at least once. A push may be older than what the client knows; the client drops it by seq.
//     Nothing is lost while the session lives. If NATS may have dropped messages (it reconnected, or reports a slow
//     consumer), every affected session gets a new snapshot. Sessions that show a call are also checked periodically,
//     because core NATS can lose messages silently.
//  4. A client that reads too slowly is closed with a code. It gets a snapshot when it reconnects.
//  5. A device has one session. A new one closes the older one, also on another edge. The connect command that arrived
//     later, by broker time, makes the newer session; equal times are ordered by session id. Every edge decides this
//     alike, so two sessions never close each other. Edges inform each other over core NATS. If such a message is lost,
//     the older session lives until its client does not answer a ping.
//  6. An edge that NATS does not answer for Limits.WithoutNATS closes its sessions at once, and accepts none until it does.
//     A server that is cut off from its cluster still answers. So an edge that does not hear another one asks the leader of
//     the commands every second, and counts that leader's silence, or its loss of a quorum, as that of NATS.
//  7. Everything that a client may do is limited: sessions per user, connections per address, commands per second and
//     in flight, message size, and queued bytes. Each refusal has a code and is counted.
//  8. An edge that stops accepts no new sessions. It closes its sessions over a while, so that not all of them
//     reconnect to the next edge at once. It does not wait for silent peers.
//  9. The log contains no token, and none of the data that users send to each other.
package session
