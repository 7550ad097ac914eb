// Package streams declares every stream, bucket and consumer of Ringline. It creates them and compares them with what exists.
//
// Guarantees:
//
//  1. Setup may be repeated. It creates what is missing and updates what differs. It never deletes a stream, and the byte limits
//     that decrease come first.
//  2. Setup notes in the metadata of each stream and consumer how it made it. Look compares a running system with that note, so
//     processes with other settings report no difference. Inspect compares with the settings.
//  3. Inspect, Look, Await, Backlog and Oldest change nothing. If JetStream does not answer, a part is unknown, not missing.
//  4. OpenConsumer recreates a consumer that was deleted.
//  5. RepairEvents copies transitions that the event log lacks. It deletes nothing (eventlog.go).
package streams
