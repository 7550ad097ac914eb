package devices

import (
	"container/list"
	"sync"
	"time"
)

// Limits bounds a table.
type Limits struct {
	Entries int           // devices that are remembered
	Kept    time.Duration // how long a device is remembered that is not away
}

// DefaultLimits returns the limits of an edge. A full table takes about 40 MB.
func DefaultLimits() Limits { return Limits{Entries: 100_000, Kept: 10 * time.Minute} }

// Table remembers devices. It is safe for concurrent use.
type Table struct {
	limits Limits

	mu      sync.Mutex
	entries map[Key]*list.Element // of away or rest
	away    *list.List            // the devices that are away; the latest change is last
	rest    *list.List            // the others, in the same order
	forgot  time.Time             // no device that a full table forgot had a session here, or counts as present, after this time
}

// entry is the content of a list element.
type entry struct {
	Key
	State
	expires time.Time
}

// New returns an empty table.
func New(limits Limits) *Table {
	return &Table{limits: limits, entries: map[Key]*list.Element{}, away: list.New(), rest: list.New()}
}

// Left records that the latest session of a device ended, and when that session was opened. A device that is away
// stays away for as long as before.
func (t *Table) Left(k Key, opened, now time.Time) {
	t.update(k, State{Opened: opened, Seen: now}, now.Add(t.limits.Kept))
}

// Away records that a device is away since that time, and until when this is remembered. It ignores a time before the
// device came back.
func (t *Table) Away(k Key, since, until time.Time) {
	if t.State(k).Opened.Before(since) {
		t.update(k, State{Away: since}, until)
	}
}

// Back records that a device has opened a session, or said that it is back.
func (t *Table) Back(k Key, now time.Time) {
	if t.has(k) { // otherwise there is nothing to withdraw
		t.update(k, State{Opened: now}, now.Add(t.limits.Kept))
	}
}

// Present records that a device is in a call until that time, although it may have no session.
func (t *Table) Present(k Key, until time.Time) {
	t.update(k, State{Seen: until}, until.Add(t.limits.Kept))
}

func (t *Table) has(k Key) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.entries[k] != nil
}

// State returns what the table remembers of a device. It may have forgotten any other device because it was full: such a
// device counts as seen when the latest session ended that was forgotten.
func (t *Table) State(k Key) State {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.entries[k]; e != nil {
		return e.Value.(*entry).State
	}
	return State{Seen: t.forgot}
}

// Each calls f with every device that is away, and until when it is remembered.
func (t *Table) Each(f func(k Key, s State, until time.Time)) {
	for _, e := range t.listAway() {
		f(e.Key, e.State, e.expires)
	}
}

func (t *Table) listAway() []entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]entry, 0, t.away.Len())
	for e := t.away.Front(); e != nil; e = e.Next() {
		all = append(all, *e.Value.(*entry))
	}
	return all
}

// Forget removes the entries that have expired.
func (t *Table) Forget(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range []*list.List{t.rest, t.away} {
		for e := l.Front(); e != nil; {
			next := e.Next()
			if !e.Value.(*entry).expires.After(now) {
				t.remove(e, l)
			}
			e = next
		}
	}
}

// Len returns the number of devices in the table.
func (t *Table) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.entries)
}

func (t *Table) update(k Key, s State, expires time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	x := entry{Key: k, State: State{Seen: t.forgot}}
	if e := t.entries[k]; e != nil {
		x = *e.Value.(*entry)
		t.remove(e, t.listOf(x))
	}
	was := x.IsAway()
	x.State = x.Merge(s)
	switch {
	case was && s.Away.IsZero() && x.IsAway(): // it stays away for as long as before
	case was && x.IsAway():
		x.expires = later(x.expires, expires)
	default:
		x.expires = expires
	}
	t.entries[k] = t.listOf(x).PushBack(&x)
	t.shrink()
}

func (t *Table) listOf(x entry) *list.List {
	if x.IsAway() {
		return t.away
	}
	return t.rest
}

// shrink removes the oldest entry above the limit.
func (t *Table) shrink() {
	if len(t.entries) <= t.limits.Entries {
		return
	}
	for _, l := range []*list.List{t.rest, t.away} {
		if oldest := l.Front(); oldest != nil {
			t.forgot = later(t.forgot, oldest.Value.(*entry).Seen)
			t.remove(oldest, l)
			return
		}
	}
}

func (t *Table) remove(e *list.Element, from *list.List) {
	delete(t.entries, e.Value.(*entry).Key)
	from.Remove(e)
}
