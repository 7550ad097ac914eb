package quota

import "time"

// recent keeps recently used entries in two generations. An entry that was used in neither is dropped. By then it must equal a
// new one.
type recent[K comparable, V any] struct {
	every time.Duration // duration of a generation
	most  int           // maximum number of entries of a generation
	since time.Time

	young, old map[K]*V
}

func newRecent[K comparable, V any](every time.Duration, most int) *recent[K, V] {
	return &recent[K, V]{every: every, most: most, young: map[K]*V{}, old: map[K]*V{}}
}

// of returns the entry of a key. It adds a new one if there is none.
func (r *recent[K, V]) of(key K, now time.Time) *V {
	r.turn(now)
	if v := r.young[key]; v != nil {
		return v
	}
	v := r.old[key]
	if v == nil {
		v = new(V)
	}
	r.young[key] = v
	return v
}

// turn starts a new generation when the current one is old or large enough.
func (r *recent[K, V]) turn(now time.Time) {
	age := now.Sub(r.since)
	switch {
	case age >= 2*r.every:
		r.old, r.young = map[K]*V{}, map[K]*V{}
	case age >= r.every || len(r.young) >= r.most:
		r.old, r.young = r.young, map[K]*V{}
	default:
		return
	}
	r.since = now
}
