package coordinator_test

import (
	"encoding/json"
	"testing"

	"ringline.io/ringline/internal/natstest"
)

// An add invites some of its callees and refuses the others. Every answer to it names the same refused callees, whatever has
// happened to them since (rule add-names of tests/model).
func TestRefusedCallees(t *testing.T) {
	s := newScene(t, natstest.Notification)
	carol := s.user("carol")
	s.rings()
	const (
		add  = `{"command_id":"k2","user_id":"ann","callees":[{"user_id":"bob"},{"user_id":"carol"},{"user_id":"ann"}],"seen":2}`
		want = `[{"code":"already_exists","user_id":"bob"},{"code":"invalid_argument","user_id":"ann"}]`
	)
	sends := func(when string, seq float64) {
		t.Helper()
		a := s.send("c1", "add", add)
		got, err := json.Marshal(a["refused"])
		if err != nil || a["ok"] != true || string(got) != want {
			t.Errorf("%s: the answer is %v, %v, want refused %s", when, a, err, want)
		}
		c, _ := a["call"].(object)
		expect(t, c, object{"seq": seq})
	}
	sends("at first", 3)
	expect(t, carol.next("incoming_call_received"), object{"id": "c1-3-0", "user_id": "carol"})
	s.bob.nothing()
	s.lines(map[string]string{"ann": "c1", "bob": "c1", "carol": "c1"})
	sends("again", 3)

	s.ok("c1", "decline", `{"command_id":"d1","user_id":"carol"}`)
	sends("after carol declined", 4)
	s.ok("c1", "add", `{"command_id":"k3","user_id":"ann","callees":[{"user_id":"carol"}],"seen":4}`)
	sends("after carol was added again", 5)
	s.ok("c1", "decline", `{"command_id":"d2","user_id":"bob"}`)
	s.ok("c1", "add", `{"command_id":"k4","user_id":"ann","callees":[{"user_id":"bob"}],"seen":6}`)
	sends("after bob declined and was added", 7)
	s.ok("c1", "end", `{"command_id":"e1","user_id":"ann"}`)
	sends("after the end", 8)
	if a := s.send("c1", "decline", `{"command_id":"d1","user_id":"carol"}`); a["refused"] != nil {
		t.Errorf("the answer to a decline is %v", a)
	}
}

// If none of its callees can be invited, the add fails with the code of the first, and changes nothing.
func TestAddOfNoneFails(t *testing.T) {
	s := newScene(t, natstest.Notification)
	s.rings()
	s.refused("c1", "add", `{"command_id":"k2","user_id":"ann","callees":[{"user_id":"bob"},{"user_id":"ann"}]}`, "already_exists")
	s.refused("c1", "add", `{"command_id":"k3","user_id":"ann","callees":[{"user_id":"ann"},{"user_id":"bob"}]}`, "invalid_argument")
	s.refused("c1", "add", `{"command_id":"k4","user_id":"ann","callees":[{"user_id":"bob"}],"seen":1}`, "already_exists")
	s.refused("c1", "add", `{"command_id":"k5","user_id":"ann","callees":[{"user_id":"eve"},{"user_id":"eve"}]}`, "invalid_argument")
	expect(t, s.get("c1"), object{"seq": 2.0})
	s.bob.nothing()
}
