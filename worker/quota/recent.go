package quota

import "time"

// recent keeps what was used recently, in two generations: what is used in neither is forgotten. It must be as good as
// new by then.
type recent[K comparable, V any] struct {
	every time.Duration // a generation
	most  int           // entries of a generation
	since time.Time

	young, old map[K]*V
}

func newRecent[K comparable, V any](every time.Duration, most int) *recent[K, V] {
	return &recent[K, V]{every: every, most: most, young: map[K]*V{}, old: map[K]*V{}}
}

// of gives the entry of a key, a new one where there is none.
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

// turn begins a new generation once this one is old enough or too large.
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
