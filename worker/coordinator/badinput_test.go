package coordinator_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/streams"
)

// Each malformed command receives its code and a message that names the field and the limit. It is stored with its reason if it
// can't be parsed, and has no other effect.
func TestBadInput(t *testing.T) {
	s := newScene(t, natstest.Rejected)
	s.ok("open", "invite", inviteBob)
	s.bob.next("incoming_call_received")
	invite := func(fields string) string {
		return `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}]` + fields + `}`
	}
	long := strings.Repeat("x", 200<<10)
	unreadable := []struct{ name, call, verb, body, names string }{
		{"no JSON", "c1", "invite", `{"command_id":`, "body"},
		{"an array", "c1", "invite", `[]`, "body"},
		{"nothing", "c1", "invite", ``, "body"},
		{"wrong type", "c1", "invite", `{"command_id":7,"user_id":"ann"}`, "command_id"},
		{"unknown field", "c1", "invite", invite(`,"colour":"red"`), "colour"},
		{"field of another verb", "open", "accept", `{"command_id":"k1","user_id":"bob","callees":[]}`, "callees"},
		{"unknown verb", "c1", "shout", `{"command_id":"k1","user_id":"ann"}`, "verb"},
		{"empty id", "c1", "invite", `{"command_id":"","user_id":"ann","call_type":0,"callees":[{"user_id":"bob"}]}`, "command_id"},
		{"id too long", "c1", "invite", `{"command_id":"` + strings.Repeat("k", 65) + `","user_id":"ann"}`, "64"},
		{"user id too long", "c1", "ring", `{"command_id":"k","user_id":"` + strings.Repeat("u", 129) + `"}`, "128"},
		{"user id with control character", "c1", "ring", `{"command_id":"k","user_id":"a\u0000b"}`, "user_id"},
		{"self-call", "c1", "invite", `{"command_id":"k","user_id":"ann","call_type":0,"callees":[{"user_id":"ann"}]}`, "callees[0].user_id"},
		{"custom data of 4,097 bytes", "c1", "invite", invite(`,"custom_data":"` + strings.Repeat("d", 4097) + `"`), "4096"},
		{"ring timeout of 0", "c1", "invite", invite(`,"ring_timeout_s":0`), "from 1 to 600"},
		{"ring timeout of 601", "c1", "invite", invite(`,"ring_timeout_s":601`), "from 1 to 600"},
		{"200 KB", "c1", "invite", invite(`,"custom_data":"` + long + `"`), "custom_data"},
		{"bad call id", "c=1", "invite", invite(``), "call_id"},
		{"call id too long", strings.Repeat("c", 65), "invite", invite(``), "64"},
		{"both senders", "c1", "end", `{"command_id":"k","user_id":"ann","service":"desk"}`, "user_id and service"},
		{"null", "c1", "end", `{"command_id":"k","user_id":"ann","custom_data":null}`, "custom_data"},
	}
	for _, b := range unreadable {
		t.Run(b.name, func(t *testing.T) {
			if msg := s.refused(b.call, b.verb, b.body, "invalid_argument"); !strings.Contains(msg, b.names) {
				t.Errorf("%q does not name %q", msg, b.names)
			}
		})
	}
	readable := []struct{ name, call, verb, body, code string }{
		{"a stranger", "open", "accept", `{"command_id":"s1","user_id":"eve"}`, "permission_denied"},
		{"the wrong role", "open", "accept", `{"command_id":"s2","user_id":"ann"}`, "permission_denied"},
		{"a service that is not timeouts", "open", "expire", `{"command_id":"s3","service":"desk"}`, "permission_denied"},
		{"expire by a user, without a call", "c1", "expire", `{"command_id":"s4","user_id":"ann"}`, "permission_denied"},
		{"no such call", "c1", "decline", `{"command_id":"s5","user_id":"bob"}`, "not_found"},
		{"51 callees", "c1", "invite", inviteMany(51), "invalid_argument"},
	}
	for _, b := range readable {
		t.Run(b.name, func(t *testing.T) {
			a := s.send(b.call, b.verb, b.body)
			if code := a["error"].(object)["code"]; code != b.code {
				t.Fatalf("%v, want %s", a, b.code)
			}
			if (b.name == "a stranger") == (a["call"] != nil) && b.call == "open" && b.verb == "accept" {
				t.Errorf("another user is notified of the call, or the caller is not: %v", a)
			}
		})
	}
	t.Run("300 KB are refused by the stream", func(t *testing.T) {
		m, err := s.nc.Request("ringline.demo.cmd.c1.invite", []byte(invite(`,"custom_data":"`+long+long[:100<<10]+`"`)), within)
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := decode(t, m.Data)["error"].(object); !ok || e["err_code"] != 10054.0 {
			t.Errorf("the stream says %s", m.Data)
		}
	})
	s.ann.nothing()
	s.bob.nothing()
	s.kept(len(unreadable))
	s.handled()
}

func inviteMany(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"user_id":"u%d"}`, i)
	}
	return `{"command_id":"k1","user_id":"ann","call_type":0,"callees":[` + strings.Join(list, ",") + `]}`
}

// A malformed answer token is not used as an address. The command is stored with the reason.
func TestBadAnswerToken(t *testing.T) {
	s := newScene(t)
	sub, err := s.nc.SubscribeSync("ringline.demo.rejected.invite")
	if err != nil {
		t.Fatal(err)
	}
	s.publish("c1", "invite", inviteBob, "a.b.c")
	m, err := sub.NextMsg(within)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Header.Get("Ringline-Error-Message"); !strings.Contains(got, "Ringline-Answer") {
		t.Errorf("the reason is %q", got)
	}
	s.ok("c2", "invite", inviteBob) // wait until answers would have arrived
	s.bob.next("incoming_call_received")
	s.bob.nothing()
}

// kept checks that RINGLINE_REJECTED holds that many commands, each cut to 64 KiB and with its reason.
func (s *scene) kept(want int) {
	s.t.Helper()
	var got int
	for seq := 1; ; seq++ {
		st, err := s.server.JS.Stream(s.t.Context(), streams.StreamRejected)
		if err != nil {
			s.t.Fatal(err)
		}
		m, err := st.GetMsg(s.t.Context(), uint64(seq))
		if err != nil {
			break
		}
		got++
		if len(m.Data) > 64<<10 {
			s.t.Errorf("%s: %d bytes are kept", m.Subject, len(m.Data))
		}
		for _, h := range []string{"Ringline-Error-Code", "Ringline-Error-Message", "Ringline-Subject"} {
			if m.Header.Get(h) == "" {
				s.t.Errorf("%s: no header %s", m.Subject, h)
			}
		}
	}
	if got != want {
		s.t.Errorf("%d commands are kept, want %d", got, want)
	}
}

// handled waits until no command is left in the stream.
func (i *integrator) handled() {
	i.t.Helper()
	deadline := time.Now().Add(within)
	for {
		m, err := i.nc.Request("$JS.API.STREAM.INFO."+streams.StreamCommands, nil, within)
		if err != nil {
			i.t.Fatal(err)
		}
		var info struct {
			State struct {
				Messages uint64 `json:"messages"`
			} `json:"state"`
		}
		if err := json.Unmarshal(m.Data, &info); err != nil {
			i.t.Fatal(err)
		}
		if info.State.Messages == 0 {
			return
		}
		if time.Now().After(deadline) {
			i.t.Fatalf("%d commands are left", info.State.Messages)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
