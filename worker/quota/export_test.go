package quota

import "time"

// Kept returns the number of entries in memory.
func Kept(q *Quotas) int {
	return len(q.apps.young) + len(q.apps.old) + len(q.users.young) + len(q.users.old) + len(q.pairs.young) + len(q.pairs.old)
}

// MostPeers is the maximum number of other coordinators in memory.
const MostPeers = mostPeers

// Received delivers a message on the subject of the coordinators.
func (p *Peers) Received(text string, now time.Time) { p.received(text, now) }

// Forget removes the coordinators that were silent for too long.
func (p *Peers) Forget(now time.Time) { p.forget(now) }
