package main

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// make makes the cases of a theme and counts their contents.
func (th theme) make() ([]oneCase, counts) {
	var cases []oneCase
	sum := counts{}
	chosen := th.chooser(sum)
	for seed := uint64(1); ; seed++ {
		w := newWorld(th, rand.New(rand.NewPCG(seed, hash(th.name))))
		w.live()
		p, more := chosen(w)
		if p != nil {
			p.out.Name = fmt.Sprintf("%s %d", th.name, seed)
			cases = append(cases, p.out)
			sum.add(p.count)
			sum.add(p.client.met)
		}
		if !more {
			return cases, sum
		}
	}
}

func hash(s string) (h uint64) {
	for _, b := range []byte(s) {
		h = h*31 + uint64(b)
	}
	return h
}

// live runs the moves of a world.
func (w *world) live() {
	if w.theme.begin != nil {
		w.theme.begin(w)
	}
	for range w.theme.steps {
		w.step()
		if w.chance(w.theme.sleep) {
			w.pass(sleeps)
		}
	}
}

// chooser returns a function that chooses a story of a world, if it has a suitable one, and reports whether more are
// wanted.
func (th theme) chooser(sum counts) func(*world) (*player, bool) {
	if len(th.wants) == 0 {
		n := 0
		return func(w *world) (*player, bool) {
			p := best(w.stories(), sum)
			if p != nil {
				n++
			}
			return p, n < th.cases
		}
	}
	quota := counts{}
	for _, name := range th.wants {
		quota[name] = th.cases
	}
	return func(w *world) (*player, bool) {
		p := rarest(w.stories(), quota)
		return p, len(quota) > 0
	}
}

// stories returns the story of each device, in random order.
func (w *world) stories() []*player {
	var devices []device
	for _, u := range w.cast() {
		devices = append(devices, device{u, "d1"}, device{u, "d2"})
	}
	w.r.Shuffle(len(devices), func(i, j int) { devices[i], devices[j] = devices[j], devices[i] })
	first := 0
	if w.chance(w.theme.reload) {
		first = w.r.IntN(len(w.past) / 2)
	}
	var list []*player
	for _, d := range devices[:pick(w.r, 1, len(devices), len(devices))] {
		p := w.player(d, first)
		if p.play(first); !p.client.unclear && len(p.out.Steps) > 3 {
			list = append(list, p)
		}
	}
	return list
}

// best returns the story with the highest worth, nil if there is none.
func best(stories []*player, sum counts) (most *player) {
	for _, p := range stories {
		if most == nil || p.worth(sum) > most.worth(sum) {
			most = p
		}
	}
	return most
}

// rarest returns a story that is not too long and has a case that is still wanted.
func rarest(stories []*player, quota counts) *player {
	for _, p := range stories {
		found := false
		for name := range p.client.met {
			if quota[name] == 0 || len(p.out.Steps) > 16 {
				continue
			}
			found = true
			if quota[name]--; quota[name] == 0 {
				delete(quota, name)
			}
		}
		if found {
			return p
		}
	}
	return nil
}

// worth is the value of a story's callbacks relative to its length. Callbacks that are rare in the stories chosen so
// far count more.
func (p *player) worth(sum counts) float64 {
	worth := 0.0
	for _, list := range p.out.Expect {
		for _, c := range list {
			worth += math.Pow(float64(2+sum[c.Name]), -1.5)
		}
	}
	return worth / float64(len(p.out.Steps)+2)
}
