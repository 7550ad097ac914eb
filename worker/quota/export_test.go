package quota

// Kept counts what is remembered.
func Kept(q *Quotas) int {
	return len(q.apps.young) + len(q.apps.old) + len(q.users.young) + len(q.users.old) + len(q.pairs.young) + len(q.pairs.old)
}
