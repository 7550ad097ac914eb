package quota

import "time"

// Kept counts what is remembered.
func Kept(q *Quotas) int {
	return len(q.apps.young) + len(q.apps.old) + len(q.users.young) + len(q.users.old) + len(q.pairs.young) + len(q.pairs.old)
}

// MostPeers bounds what is remembered of other coordinators.
const MostPeers = mostPeers

// Hear lets a coordinator hear what is published about coordinators.
func (p *Peers) Hear(text string, now time.Time) { p.hear(text, now) }

// Forget lets it look for those that were silent for too long.
func (p *Peers) Forget(now time.Time) { p.forget(now) }
