package coordinator_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/events"
	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/store"
	"ringline.io/ringline/worker/streams"
)

// request sends a request to the API and returns the answer.
func (i *integrator) request(method, body string) object {
	i.t.Helper()
	m, err := i.nc.Request("ringline."+i.app+".api."+method, []byte(body), within)
	if err != nil {
		i.t.Fatalf("request %s: %v", method, err)
	}
	return decode(i.t, m.Data)
}

// The API answers each of some hundred requests, sent in sequence and in parallel.
func TestAPIAnswersEveryRequest(t *testing.T) {
	s := newScene(t)
	s.request("invite", `{"call_id":"c1","command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}]}`)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for n := range 30 {
				method, body := "get", `{"call_id":"c1"}`
				if worker%2 == 0 {
					method, body = "ring", fmt.Sprintf(`{"call_id":"c1","command_id":"r%d-%d","user_id":"bob"}`, worker, n)
				}
				m, err := s.nc.Request("ringline."+s.app+".api."+method, []byte(body), within)
				if err != nil {
					t.Errorf("%s %d of %d: %v", method, n, worker, err)
					return
				}
				if a := decode(t, m.Data); a["ok"] != true {
					t.Errorf("%s %d of %d: %v", method, n, worker, a)
				}
			}
		})
	}
	wg.Wait()
}

// A request present informs the edges for 60 s. Its errors name the field.
func TestPresent(t *testing.T) {
	s := newScene(t)
	s.rings() // its answers are checked too
	told, err := s.nc.SubscribeSync("present.>")
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	if a := s.request("present", `{"call_id":"c1","user_id":"ann","device_id":"phone"}`); a["ok"] != true {
		t.Errorf("got %v", a)
	}
	m, err := told.NextMsg(within)
	if err != nil {
		t.Fatal(err)
	}
	until, err := strconv.ParseInt(string(m.Data), 10, 64)
	from, to := before.Add(events.PresentFor).UnixMilli(), time.Now().Add(events.PresentFor).UnixMilli()
	if err != nil || m.Subject != "present.demo.ann.phone" || until < from || until > to {
		t.Errorf("%s until %d, want %d to %d, %v", m.Subject, until, from, to, err)
	}
	for body, want := range map[string]string{
		`{}`:                                    "call_id: ",
		`{"call_id":"c1","device_id":"phone"}`:  "user_id: ",
		`{"call_id":"c1","user_id":"ann"}`:      "device_id: ",
		`{"call_id":"a.b","user_id":"ann"}`:     "call_id: ",
		`{"call_id":"c1","user_id":7}`:          "user_id: ",
		`{"call_id":"c1","user_id":"a","x":""}`: `"x": unknown field`,
	} {
		a := s.request("present", body)
		failure, _ := a["error"].(object)
		if text, _ := failure["message"].(string); failure["code"] != "invalid_argument" || !strings.HasPrefix(text, want) {
			t.Errorf("%s: %v", body, a)
		}
	}
}

func TestAPI(t *testing.T) {
	s := newScene(t, natstest.Notification)
	a := s.request("invite", inviteBob)
	id, _ := a["call"].(object)["call_id"].(string)
	secret, err := store.NewSecrets(s.nc, stream(t, s.nc), logger()).CallIDs(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	if want := events.DeriveCallID(secret, "demo", "ann", "k1"); id != want {
		t.Errorf("the call id is %q, want %q", id, want)
	}
	s.bob.next("incoming_call_received")
	if again := s.request("invite", inviteBob); again["call"].(object)["call_id"] != id {
		t.Errorf("a retry rings another call: %v", again)
	}
	s.bob.next("incoming_call_received") // notified again, with the same id
	a = s.request("accept", `{"call_id":"`+id+`","user_id":"bob"}`)
	if cid, _ := a["command_id"].(string); a["ok"] != true || cid == "" {
		t.Errorf("accept without a command id: %v", a)
	}
	s.ann.next("outgoing_call_accepted")
	if a := s.request("get", `{"call_id":"`+id+`"}`); a["ok"] != true || a["command_id"] != nil {
		t.Errorf("get: %v", a)
	}
	for _, bad := range []struct{ method, body, code, names string }{
		{"get", `{"call_id":"unused"}`, "not_found", "unused"},
		{"get", `{}`, "invalid_argument", "call_id"},
		{"get", `{"call_id":"x","user_id":"ann"}`, "invalid_argument", "user_id"},
		{"accept", `{"user_id":"bob"}`, "invalid_argument", "call_id"},
		{"shout", `{}`, "invalid_argument", "invite"},
		{"accept", `{"call_id":"` + id + `","user_id":"eve"}`, "permission_denied", "user_id"},
	} {
		e, _ := s.request(bad.method, bad.body)["error"].(object)
		if msg, _ := e["message"].(string); e["code"] != bad.code || !strings.Contains(msg, bad.names) {
			t.Errorf("%s %s: %v, want %s that names %s", bad.method, bad.body, e, bad.code, bad.names)
		}
	}
}

// A reply subject that is not an inbox could be any subject of the account, so the API publishes nothing to it.
func TestAPIAnswersOnlyToInboxes(t *testing.T) {
	s := newScene(t)
	victim := s.user("victim")
	if err := s.nc.PublishRequest("ringline.demo.api.get", "ringline.demo.user.victim", []byte(`{"call_id":"x"}`)); err != nil {
		t.Fatal(err)
	}
	s.request("get", `{"call_id":"x"}`) // handled after the request above
	s.ok("c1", "invite", inviteBob)
	victim.nothing()
}

func TestServiceIsFound(t *testing.T) {
	s := newScene(t)
	m, err := s.nc.Request("$SRV.INFO.ringline", nil, within)
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		Name      string `json:"name"`
		Endpoints []struct {
			Subject string `json:"subject"`
		} `json:"endpoints"`
	}
	if err := json.Unmarshal(m.Data, &info); err != nil {
		t.Fatal(err)
	}
	if info.Name != "ringline" || len(info.Endpoints) != 1 || info.Endpoints[0].Subject != "ringline.*.api.*" {
		t.Errorf("the service says %s", m.Data)
	}
	s.ok("c1", "invite", inviteBob)
}

// The event log contains each transition once and in order. The predefined consumer reads it.
func TestEventLog(t *testing.T) {
	s := newScene(t, natstest.Logged)
	s.rings()
	s.ok("c1", "invite", inviteBob) // a repeat makes no transition
	s.ok("c1", "accept", acceptBob)
	s.ok("c1", "end", `{"command_id":"e1","service":"desk"}`)
	cons, err := s.server.JS.Consumer(t.Context(), streams.StreamEvents, streams.ConsumerAnalytics)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for len(got) < 4 {
		m, err := cons.Next()
		if err != nil {
			t.Fatalf("after %v: %v", got, err)
		}
		e := decode(t, m.Data())
		if m.Subject() != "ringline.demo.events" || m.Headers().Get(nats.MsgIdHdr) != "" {
			t.Errorf("subject %s, headers %v", m.Subject(), m.Headers())
		}
		got = append(got, e["id"].(string)+" "+m.Headers().Get("Ringline-Event"))
		if err := m.Ack(); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"c1-1 invited", "c1-2 ringing", "c1-3 accepted", "c1-4 ended"}; !slices.Equal(got, want) {
		t.Errorf("the log has %v, want %v", got, want)
	}
	st, err := s.server.JS.Stream(t.Context(), streams.StreamEvents)
	if err != nil {
		t.Fatal(err)
	}
	if n := st.CachedInfo().State.Msgs; n != 4 {
		t.Errorf("the log has %d messages", n)
	}
}

// storesFormat1 writes a version of the call in format 1, with 49 additional callees that have left, each with custom data.
func (s *scene) storesFormat1(callID string) {
	s.t.Helper()
	st, err := s.server.JS.Stream(s.t.Context(), streams.StreamCalls)
	if err != nil {
		s.t.Fatal(err)
	}
	m, err := st.GetLastMsgForSubject(s.t.Context(), events.TransitionSubject("demo", callID))
	if err != nil {
		s.t.Fatal(err)
	}
	step, at, err := events.ReadTransition("demo", callID, m.Data)
	if err != nil {
		s.t.Fatal(err)
	}
	step.Format, step.Seq, step.Call.Seq, step.Call.Custom = 1, 100, 100, map[int]string{}
	for i := range 49 {
		step.Call.Custom[i+2] = fmt.Sprintf("%04096d", i)
		step.Call.Callees = append(step.Call.Callees, events.Callee{
			UserID: fmt.Sprintf("u%d", i), Attempt: 1, InvitedBy: "ann", State: events.StateLeft, Reason: events.ReasonLeft, CustomSeq: i + 2, At: at,
		})
	}
	body, err := step.Encode(at)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.server.JS.PublishMsg(s.t.Context(), &nats.Msg{Subject: m.Subject, Header: nats.Header{
		"Content-Type": {events.ContentType}, events.HeaderEvent: {string(step.Event)},
	}, Data: body}); err != nil {
		s.t.Fatal(err)
	}
}

// A call that began in format 1 continues in it, so that an older coordinator can read it, even if it exceeds the sizes of
// format 2. Clients receive it like any other call.
func TestCallOfFormat1Continues(t *testing.T) {
	s := newScene(t, natstest.Transition)
	s.rings()
	s.storesFormat1("c1")
	c := s.ok("c1", "accept", acceptBob)
	expect(t, callee(c), object{"state": "accepted", "custom_seq": 101.0, "custom_data": nil})
	expect(t, c["custom"].(object), object{"101": "coming"})
	if all := s.get("c1")["custom"].(object); len(all) != 50 {
		t.Errorf("a service sees %d entries", len(all))
	}
	st, err := s.server.JS.Stream(t.Context(), streams.StreamCalls)
	if err != nil {
		t.Fatal(err)
	}
	m, err := st.GetLastMsgForSubject(t.Context(), events.TransitionSubject("demo", "c1"))
	if err != nil {
		t.Fatal(err)
	}
	e := decode(t, m.Data)
	stored := e["data"].(object)["call"].(object)
	if e["type"] != "io.ringline.call.accepted.v1" || callee(stored)["custom_data"] != "coming" || callee(stored)["custom_seq"] != nil || stored["custom"] != nil {
		t.Errorf("stored as %v, the callee as %v", e["type"], callee(stored))
	}
}

// A list omits the calls that don't fit into one message.
func TestListFitsIntoAMessage(t *testing.T) {
	s := newScene(t)
	const many = 8
	for n := range many { // some 200 KB each, which format 1 permits
		id := fmt.Sprintf("c%d", n)
		s.ok(id, "invite", invitation("k", fmt.Sprintf("a%d", n), fmt.Sprintf("b%d", n)))
		s.storesFormat1(id)
	}
	a := s.request("list", "{}")
	if got := len(a["calls"].([]any)); a["ok"] != true || got == 0 || got >= many {
		t.Errorf("the list has %d calls of %d", got, many)
	}
	if a := s.request("list", `{"limit":1}`); len(a["calls"].([]any)) != 1 {
		t.Errorf("a list of one: %v", a)
	}
}
