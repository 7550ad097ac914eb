package check

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"ringline.io/ringline/events"
)

// twoCalls checks in stream order that no user is ever in more calls than a line holds.
func twoCalls(r *run, v *verdict) {
	in := map[callID]map[string]bool{} // by app and user: the user's calls
	for _, st := range r.inOrder() {
		c := st.Call
		for user := range parties(c) {
			v.looked()
			key := callID{c.App, user}
			if in[key] == nil {
				in[key] = map[string]bool{}
			}
			was := in[key][c.CallID]
			if delete(in[key], c.CallID); !c.On(user) {
				continue
			}
			if in[key][c.CallID] = true; !was && len(in[key]) > r.limits.Capacity {
				v.failApp(c.App, c.CallID, "%s is in %d calls, but the line holds %d: with %s the user enters this one and is in %s", user,
					len(in[key]), r.limits.Capacity, r.describe(st), r.others(c, in[key]))
			}
		}
	}
}

// inOrder returns all transitions in stream order.
func (r *run) inOrder() []*step {
	var list []*step
	for _, s := range r.stories {
		list = append(list, s.steps...)
	}
	slices.SortFunc(list, func(a, b *step) int { return cmp.Compare(a.stream, b.stream) })
	return list
}

// parties lists every user in the call's data.
func parties(c events.Call) map[string]bool {
	list := map[string]bool{}
	if c.Caller.UserID != "" {
		list[c.Caller.UserID] = true
	}
	for _, x := range c.Callees {
		list[x.UserID] = true
	}
	return list
}

// others lists the other calls among these.
func (r *run) others(c events.Call, calls map[string]bool) string {
	var list []string
	for _, id := range slices.Sorted(maps.Keys(calls)) {
		if id != c.CallID {
			list = append(list, id)
		}
	}
	return strings.Join(list, ", ")
}
