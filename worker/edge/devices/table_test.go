package devices_test

import (
	"fmt"
	"testing"
	"time"

	"ringline.io/ringline/worker/edge/devices"
)

func at(seconds int) time.Time { return time.Unix(int64(1_000_000+seconds), 0) }

func key(i int) devices.Key {
	return devices.Key{App: "a", UserID: "ann", DeviceID: fmt.Sprint("d", i)}
}

// A device is away until it is back or expires, whatever its sessions do meanwhile, and however late a message comes.
func TestAway(t *testing.T) {
	t.Parallel()
	type step func(*devices.Table)
	left := func(opened, now int) step {
		return func(x *devices.Table) { x.Left(key(1), at(opened), at(now)) }
	}
	away := func(since, until int) step {
		return func(x *devices.Table) { x.Away(key(1), at(since), at(until)) }
	}
	back := func(now int) step { return func(x *devices.Table) { x.Back(key(1), at(now)) } }
	forget := func(now int) step { return func(x *devices.Table) { x.Forget(at(now)) } }
	for _, test := range []struct {
		name  string
		steps []step
		away  bool
		kept  int
	}{
		{"unknown", nil, false, 0},
		{"left", []step{left(0, 5)}, false, 1},
		{"left, expired", []step{left(0, 5), forget(105)}, false, 0},
		{"away", []step{away(1, 1000)}, true, 1},
		{"away, its socket closes", []step{away(1, 1000), left(0, 5), forget(105)}, true, 1},
		{"away for a shorter time than one that left is kept", []step{away(1, 10), left(0, 5), forget(10)}, false, 0},
		{"away, expired", []step{away(1, 1000), left(0, 5), forget(1000)}, false, 0},
		{"back", []step{away(1, 1000), back(2)}, false, 1},
		{"back, later left", []step{away(1, 1000), back(2), left(2, 3), forget(103)}, false, 0},
		{"back, never away", []step{back(2)}, false, 0},
		{"away twice", []step{away(1, 1000), away(1, 1000), left(0, 5)}, true, 1},
		{"away comes after back", []step{left(0, 1), back(3), away(2, 1000), forget(150)}, false, 0},
		{"away again", []step{away(1, 1000), back(2), away(3, 2000), forget(1500)}, true, 1},
	} {
		x := devices.New(devices.Limits{Entries: 9, Kept: 100 * time.Second})
		for _, s := range test.steps {
			s(x)
		}
		if s := x.State(key(1)); s.IsAway() != test.away || x.Len() != test.kept || s.Connected {
			t.Errorf("%s: %+v, %d kept", test.name, s, x.Len())
		}
	}
}

// What several edges know merges in any order.
func TestMerge(t *testing.T) {
	t.Parallel()
	here, there := devices.State{Opened: at(1), Away: at(3), Seen: at(4)}, devices.State{Connected: true, Opened: at(9), Seen: at(2)}
	want := devices.State{Connected: true, Opened: at(9), Seen: at(4), Away: at(3)}
	if here.Merge(there) != want || there.Merge(here) != want || want.IsAway() || !here.IsAway() {
		t.Errorf("%+v and %+v, want %+v", here.Merge(there), there.Merge(here), want)
	}
}

// A full table forgets first the devices that left longest ago and are not away. A device that it forgot, or never knew,
// counts as seen when the latest session ended that it forgot.
func TestFullTable(t *testing.T) {
	t.Parallel()
	x := devices.New(devices.Limits{Entries: 3, Kept: time.Hour})
	x.Away(key(1), at(1), at(10_000))
	for i := 2; i <= 5; i++ {
		x.Left(key(i), at(0), at(i))
	}
	if s := x.State(key(1)); !s.IsAway() || !s.Seen.IsZero() {
		t.Errorf("the device that is away: %+v", s)
	}
	for i, seen := range map[int]int{2: 3, 3: 3, 4: 4, 5: 5, 99: 3} {
		if s := x.State(key(i)); !s.Seen.Equal(at(seen)) {
			t.Errorf("device %d: %+v, want it seen at %v", i, s, at(seen))
		}
	}
	x.Back(key(99), at(6))
	if x.Len() != 3 {
		t.Errorf("%d devices after one that is not away came back", x.Len())
	}
	for i := 6; i <= 9; i++ {
		x.Away(key(i), at(i), at(10_000))
	}
	if x.Len() != 3 || !x.State(key(9)).IsAway() || x.State(key(1)).IsAway() {
		t.Errorf("%d devices: %+v, %+v", x.Len(), x.State(key(9)), x.State(key(1)))
	}
}
