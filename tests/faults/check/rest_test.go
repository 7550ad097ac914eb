package check_test

import (
	"cmp"
	"slices"

	"ringline.io/ringline/events"
	"ringline.io/ringline/tests/faults/record"
)

// rest ends the run and returns its history. Deadlines that are not due remain in it.
func (w *world) rest() *record.History {
	r := &w.h.Run
	if r.Healed == 0 {
		r.Healed = began
	}
	r.Stopped = w.tick()
	r.Read = w.tick()
	entries := map[string][]events.Entry{}
	for _, id := range w.ids {
		c := w.newest(id).Call
		for _, u := range append([]string{c.Caller.UserID}, userIDs(c)...) {
			if c.On(u) {
				key := events.LineKey(c.App, u)
				entries[key] = append(entries[key], events.Entry{CallID: id, At: c.CreatedAt})
			}
		}
	}
	for key, list := range entries {
		data, err := events.Encode(list)
		if err != nil {
			w.t.Fatal(err)
		}
		w.h.Rest.Lines = append(w.h.Rest.Lines, record.Line{Key: key, Data: string(data), At: w.now})
	}
	for _, t := range w.timers {
		w.h.Rest.Timers = append(w.h.Rest.Timers, t)
	}
	slices.SortFunc(w.h.Rest.Lines, func(a, b record.Line) int { return cmp.Compare(a.Key, b.Key) })
	slices.SortFunc(w.h.Rest.Timers, func(a, b record.Stored) int { return cmp.Compare(a.Subject, b.Subject) })
	return w.h
}

func userIDs(c events.Call) []string {
	var list []string
	for _, x := range c.Callees {
		list = append(list, x.UserID)
	}
	return list
}
