package main

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// rates are the probabilities of each kind of disturbance, per frame or between two frames.
type rates struct{ drop, repeat, reorder, snapshot, outage float64 }

// Disturbances of the frames.
const (
	dropped     = "drop"
	repeated    = "repeat"
	reordered   = "reorder"
	snapshotted = "snapshot"
	stale       = "snapshot requested before the device showed its calls"
	ahead       = "snapshot that is ahead of later frames"
	reconnected = "reconnect"
	forgotten   = "a shown call that the server no longer knows"
	reloaded    = "reload"
)

// counts has a counter per name.
type counts map[string]int

func (c counts) add(other counts) {
	for k, n := range other {
		c[k] += n
	}
}

// disturb drops, repeats and reorders frames.
func disturb(r *rand.Rand, feed []item, by rates, count counts) []item {
	type placed struct {
		item
		place int
	}
	var list []placed
	for i, x := range feed {
		if r.Float64() < by.drop {
			count[dropped]++
			continue
		}
		p := placed{x, 10 * i}
		if r.Float64() < by.reorder {
			p.place += 11 + r.IntN(40)
		}
		list = append(list, p)
		if r.Float64() < by.repeat {
			count[repeated]++
			list = append(list, placed{x, 10*i + 1 + r.IntN(50)})
		}
	}
	slices.SortStableFunc(list, func(a, b placed) int { return cmp.Compare(a.place, b.place) })
	var out []item
	newest := -1
	for _, p := range list {
		if p.origin < newest {
			count[reordered]++
		}
		newest = max(newest, p.origin)
		out = append(out, p.item)
	}
	return out
}
