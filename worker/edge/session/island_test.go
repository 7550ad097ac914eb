package session_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/edge/edgetest"
	"ringline.io/ringline/worker/edge/session"
	"ringline.io/ringline/worker/presence"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

// talk makes an active call. It repeats commands that are refused for the moment: the cluster may still be electing leaders.
func (d *device) talk(id string, callee *device, user string) {
	d.tb.Helper()
	for _, x := range []struct {
		from       *device
		verb, data string
	}{
		{d, "invite", `{"command_id":"i","call_id":%q,"call_type":0,"callees":[{"user_id":"` + user + `"}]}`},
		{callee, "accept", `{"command_id":"a","call_id":%q}`},
	} {
		eventually(d.tb, x.verb+" is carried out", func() bool {
			raw, _ := receive(d.tb, "an answer", x.from.Call(x.verb, fmt.Sprintf(x.data, id)))
			var a events.Answer
			if json.Unmarshal(raw, &a) != nil || !a.OK && a.Error.Code != events.CodeUnavailable {
				d.tb.Fatalf("%s is answered %s", x.verb, raw)
			}
			if !a.OK {
				time.Sleep(100 * time.Millisecond)
			}
			return a.OK
		})
	}
}

// Rule `island` of tests/model/edges: a server of NATS is cut off from its cluster, with an edge that can still ping it. It
// even leads the commands, so it answers for a while. The edge closes its sessions, and accepts clients again afterwards. A
// user who connects to another edge stays in their call. One who does not is lost.
func TestRuleIsland(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	t.Parallel()
	const shutdown = 3001
	c := natstest.StartCluster(t)
	cut := c.Leader(t, streams.StreamCommands)
	times := presence.Times{
		Tick: 50 * time.Millisecond, Beat: 200 * time.Millisecond, Lost: 10 * time.Second, Answer: time.Second, Again: 500 * time.Millisecond,
		Sweep: time.Hour,
	}
	here, there := world{c.Servers[cut], &times}, world{c.Servers[(cut+1)%len(c.Servers)], &times}
	there.work(t)
	grace := 20 // longer than the streams need for new leaders
	a := there.appOf(t, events.AppSettings{LostRingingS: &grace, LostActiveS: &grace})
	keeps := func(most time.Duration) func(*session.Config) {
		return func(c *session.Config) { c.Limits.WithoutNATS = most }
	}
	e, other := here.start(t, keeps(2*time.Second)), there.start(t, keeps(20*time.Second)) // the other one waits for the new leader
	ann, bob, cid, dan := a.by(e, "ann", "phone"), a.by(other, "bob", "phone"), a.by(e, "cid", "phone"), a.by(other, "dan", "phone")
	ann.talk("c1", bob, "bob")
	cid.talk("c2", dan, "dan")

	began := time.Now()
	c.Cut(cut)
	ann.closed(t, shutdown)
	cid.closed(t, shutdown)
	if took := time.Since(began); took > times.Lost-times.Beat {
		t.Errorf("the sessions were closed %v after the cut; other edges count the edge as lost before", took)
	}
	dialWebsocket(t, e.url, edgetest.Client{Token: a.token("ann")}, "").closed(t, http.StatusServiceUnavailable)
	eventually(t, "the user is on another edge", func() bool {
		_, ok := receive(t, "a snapshot", dialWebsocket(t, other.url, edgetest.Client{Token: a.bound("ann", "phone")}, "").Pushes())
		return ok
	})
	calls := store.NewCalls(there.NC, zerolog.Nop(), nil)
	state := func(id string) events.CallState {
		now, err := calls.LoadFromLeader(t.Context(), a.name, id)
		if err != nil {
			return ""
		}
		return now.Call.State
	}
	eventually(t, "the other user is lost", func() bool { return state("c2") == events.CallStateEnded })

	c.Mend(cut)
	eventually(t, "it accepts clients", func() bool {
		_, ok := receive(t, "a snapshot", dialWebsocket(t, e.url, edgetest.Client{Token: a.token("eve")}, "").Pushes())
		return ok
	})
	eventually(t, "the call is read", func() bool { return state("c1") != "" })
	if s := state("c1"); s != events.CallStateActive {
		now, err := calls.LoadFromLeader(t.Context(), a.name, "c1")
		t.Errorf("the call of the user who came back is %s: %+v, %v", s, now.Call, err)
	}
	bob.works()
	dan.works()
}

// An edge that is cut off closes its sessions before other edges count it as lost.
func TestTheBoundsOfACut(t *testing.T) {
	t.Parallel()
	const notices, request = 4 * time.Second, 2 * time.Second // a missed beat and a tick, or the silence of the replicas
	times, limits := presence.DefaultTimes(), session.DefaultLimits()
	if missed := times.Beat*3/2 + times.Tick; missed > notices {
		t.Errorf("it asks the leader after %v", missed)
	}
	if closes, lost := notices+limits.WithoutNATS+request, times.Lost-times.Beat; closes >= lost {
		t.Errorf("it closes its sessions up to %v after the cut, and is lost after %v", closes, lost)
	}
}
