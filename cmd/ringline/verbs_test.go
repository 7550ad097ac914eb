package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"ringline.io/ringline/internal/natstest"
)

// TestVerbs runs calls through every verb on the command line, and checks the output.
func TestVerbs(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--memory")
	for _, step := range []struct {
		args string
		want []string // in stdout, in this order
	}{
		{"invite bob eve --user ann --name Ann --call c1 --video --data hi --timeout 30s --room R --device laptop", []string{
			"c1  ringing  video  room R  \"hi\"\n",
			"  caller  Ann (ann)  in         on laptop\n",
			"  callee  bob        invited    rings 30s\n", "  callee  eve        invited    rings 30s\n",
			"\nAnswer it:  ", "ringline accept c1 --user bob --nats-url nats://127.0.0.1:",
		}},
		{"ring c1 --user bob --device phone-1", []string{"callee  bob        ringing    rings "}},
		{"decline c1 --user eve --busy --data later --attempt 1", []string{"callee  eve        busy\n"}},
		{"add c1 joe --user ann --timeout 20s", []string{"callee  joe        invited    rings 20s\n"}},
		{"add c1 bob hal ann --user ann", []string{
			"callee  hal        invited    rings 60s\n", "not invited: bob (already_exists)\nnot invited: ann (invalid_argument)\n",
		}},
		{"cancel c1 hal --user ann", []string{"callee  hal        canceled\n"}},
		{"add c1 eve --service desk", []string{"callee  eve        invited    rings 60s, attempt 2\n"}},
		{"cancel c1 joe --service desk", []string{"callee  joe        canceled\n"}},
		{"accept c1 --user bob --device phone-1", []string{"c1  active", "callee  bob        accepted   on phone-1\n"}},
		{"take c1 --user bob --device laptop --seen 10 --attempt 1", []string{"c1  active", "callee  bob        accepted   on laptop\n"}},
		{"leave c1 --user ann --seen 11", []string{"c1  active", "caller  Ann (ann)  left"}},
		{"end c1 --service desk", []string{
			"c1  ended: server_ended by service desk", "callee  bob        left       ended, on laptop\n",
			"callee  eve        canceled   ended, attempt 2\n",
		}},
		{"get c1", []string{"c1  ended: server_ended by service desk"}},
		{"invite bob --user ann --call c2 --command-id k1", []string{"c2  ringing  voice\n"}},
		{"invite bob --user ann --call c2 --command-id k1", []string{"c2  ringing  voice\n"}}, // a repeat
		{"cancel c2 --user ann", []string{"c2  ended: canceled by ann  voice\n", "  callee  bob  canceled\n"}},
	} {
		r := d.run(t, strings.Fields(step.args)...)
		rest := r.stdout
		for _, w := range step.want {
			_, after, found := strings.Cut(rest, w)
			if rest = after; !found {
				t.Errorf("%s: %q is missing in\n%s", step.args, w, r.stdout)
			}
		}
		if r.code != exitOK || r.stderr != "" {
			t.Fatalf("%s: %+v", step.args, r)
		}
	}
}

// TestVerbsPrintErrorsOfTheService sends arguments unchecked, and shows the service's error text.
func TestVerbsPrintErrorsOfTheService(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--memory")
	d.ok(t, "invite", "bob", "--user", "ann", "--call", "c1")
	d.ok(t, "accept", "c1", "--user", "bob", "--device", "phone-1")
	for _, c := range []struct {
		args []string
		code string
		want string
	}{
		{[]string{"invite", "bob", "--user", "joe", "--timeout", "0s"}, "invalid_argument", "ring_timeout_s: must be an integer from 1 to 600"},
		{[]string{"invite", "bob", "--user", "joe", "--timeout", "601s"}, "invalid_argument", "ring_timeout_s: must be an integer from 1 to 600"},
		{[]string{"invite", "bob", "--user", "joe", "--timeout", "1.5s"}, "invalid_argument", "ring_timeout_s: must be an integer from 1 to 600"},
		{[]string{"invite", "joe", "--user", "joe"}, "invalid_argument", "callees[0].user_id"},
		{[]string{"invite", "bob", "--user", "joe", "--call", "a.b"}, "invalid_argument", "call_id: must be 1 to 64"},
		{[]string{"invite", "bob", "--user", ""}, "invalid_argument", "user_id: required"},
		{[]string{"invite", "bob", "--user", "joe", "--data", strings.Repeat("x", 4097)}, "invalid_argument", "custom_data: must be at most 4096 bytes"},
		{[]string{"ring", "c1", "--user", "bob", "--attempt", "0"}, "invalid_argument", "attempt: "},
		{[]string{"invite", "bob", "--user", "joe", "--call", "c1"}, "already_exists", "call_id: c1 is the id of another call; choose another id, or omit --call"},
		{[]string{"add", "c1", "bob", "--user", "ann"}, "already_exists", "callees: \"bob\" is already accepted in the call"},
		{[]string{"accept", "c1", "--user", "bob", "--device", "phone-2"}, "answered_elsewhere", ""},
		{[]string{"decline", "c1", "--user", "bob", "--device", "phone-1"}, "not_pending", ""},
		{[]string{"end", "c1", "--user", "bob"}, "permission_denied", ""},
		{[]string{"accept", "c2", "--user", "bob"}, "not_found", "there is no call c2"},
		{[]string{"get", "c2"}, "not_found", "there is no call c2"},
	} {
		r := d.run(t, c.args...)
		if first, _, _ := strings.Cut(r.stderr, "\n"); r.code != exitFailed || !strings.HasPrefix(first, "ringline: "+c.code+": ") ||
			!strings.Contains(first, c.want) {
			t.Errorf("%v: %+v", c.args, r)
		}
		j := d.run(t, append(c.args, "--json")...)
		var answer struct {
			OK    bool `json:"ok"`
			Error struct {
				Code string `json:"code"`
			} `json:"error"`
		}
		if err := json.Unmarshal([]byte(j.stdout), &answer); err != nil || answer.OK || answer.Error.Code != c.code ||
			j.code != exitFailed || !strings.HasPrefix(j.stderr, "ringline: "+c.code) {
			t.Errorf("%v --json: %+v, %v", c.args, j, err)
		}
	}
	for _, args := range [][]string{
		{"leave", "c2", "--user", "bob"}, {"end", "c2", "--service", "desk"}, {"cancel", "c2", "--user", "ann"}, {"add", "c2", "eve", "--user", "ann"},
	} {
		if r := d.run(t, args...); r.code != exitFailed || !strings.Contains(r.stderr, "there is no call c2") || !strings.Contains(r.stderr, "--early") {
			t.Errorf("%v: %+v", args, r)
		}
	}
	d.ok(t, "invite", "eve", "--user", "joe", "--call", "c2") // the refused commands did not use up the id
	if r := d.run(t, "end", "c3", "--service", "desk", "--early"); r.code != exitFailed || !strings.Contains(r.stderr, "waiting up to 5s for its invitation") {
		t.Errorf("end --early: %+v", r)
	}
	if r := d.run(t, "decline", "c1", "--user", "bob"); !strings.Contains(r.stdout, "c1  active") {
		t.Errorf("a loser is shown the call as it is: %+v", r)
	}
}

func TestAnswersAreUntouchedAsJSON(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--memory")
	d.ok(t, "invite", "bob", "--user", "ann", "--call", "c1", "--data", `<b>"ü"</b>`)
	nc, err := nats.Connect(d.nats, nats.Timeout(within))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	answer, err := nc.Request("ringline.demo.api.get", []byte(`{"call_id":"c1"}`), within)
	if err != nil {
		t.Fatal(err)
	}
	if r := d.run(t, "get", "c1", "--json"); r.stdout != string(answer.Data)+"\n" {
		t.Errorf("printed %q, the answer is %q", r.stdout, answer.Data)
	}
}

// TestTypos: typos are found before any connection.
func TestTypos(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, want string }{
		{"invte bob", "unknown command \"invte\" for \"ringline\"\n\nDid you mean this?\n\tinvite\n"},
		{"invite bob --usr ann", "unknown flag: --usr; did you mean --user?\nRun 'ringline invite --help' for usage.\n"},
		{"invite bob --from-which-user ann", "unknown flag: --from-which-user\n"},
		{"invite --user ann", "CALLEE is missing\n"},
		{"invite bob", "--user is missing: the sending user\n"},
		{"invite bob --user ann --timeout 30", `invalid argument "30" for "--timeout" flag`},
		{"add c1 --user ann", "CALLEE is missing\n"},
		{"accept", "CALL is missing\n"},
		{"accept c1 c2 --user bob", "unexpected argument \"c2\"\n"},
		{"accept c1 --service desk", "unknown flag: --service"},
		{"cancel c1", "--user or --service is missing: the sender\n"},
		{"get", "CALL is missing\n"},
		{"watch bob", "unexpected argument \"bob\"\n"},
		{"watch --user bob --call c1", "--user and --call exclude each other\n"},
		{"dev --data x --memory", "--data and --memory exclude each other\n"},
		{"dev --port x", `invalid argument "x" for "--port" flag`},
	} {
		r := execute(t, program("ringline", strings.Fields(c.args)...))
		if r.code != exitUsage || r.stdout != "" || !strings.HasPrefix(r.stderr, "ringline: "+c.want) ||
			!strings.HasSuffix(r.stderr, "--help' for usage.\n") {
			t.Errorf("%s: %+v", c.args, r)
		}
	}
	if r := execute(t, program("ringline")); r.code != exitOK || !strings.Contains(r.stdout, "RINGLINE_NATS_URL") {
		t.Errorf("help: %+v", r)
	}
}

func TestNoServer(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	noServer := "no NATS server at nats://127.0.0.1:" + port + "; start one with `"
	for _, args := range [][]string{{"get", "c1"}, {"watch", "--user", "bob"}, {"watch"}} {
		r := execute(t, program("ringline", append(args, "--nats-url", "nats://user:secret@127.0.0.1:"+port)...))
		checkRefused(t, r, []string{noServer, "ringline dev --port " + port + "`"})
	}

	for _, urls := range []string{"nats://127.0.0.1:" + port + ",nats://localhost:" + port, "tls://127.0.0.1:" + port, "127.0.0.2:" + port} {
		r := execute(t, program("ringline", "get", "c1", "--nats-url", urls))
		if r.code != exitFailed || r.stderr != "ringline: no NATS server at "+urls+"\n" {
			t.Errorf("where dev would not help: %+v", r)
		}
	}

	s := natstest.Start(t) // with every stream, without a worker
	r := execute(t, program("ringline", "get", "c1", "--nats-url", s.URL()))
	checkRefused(t, r, []string{
		"no Ringline worker answers at " + s.URL() + "; run `", "ringline setup --nats-url " + s.URL() + "` and then `", "ringline coordinator --nats-url " + s.URL() + "`",
	})
	r = (&natsServer{url: s.URL()}).ringline(t, nil, "get", "c1")
	checkRefused(t, r, []string{"ringline setup` and then `", "ringline coordinator`"})

	if err := s.JS.DeleteStream(t.Context(), "RINGLINE_CALLS"); err != nil {
		t.Fatal(err)
	}
	r = execute(t, program("ringline", "watch", "--nats-url", s.URL()))
	checkRefused(t, r, []string{"no Ringline at " + s.URL() + ": there is no stream RINGLINE_CALLS; run `", "ringline setup --nats-url "})

	for _, args := range [][]string{{"get", "c1", "--app", "a.*"}, {"watch", "--user", "a\nb"}, {"watch", "--call", "*"}} {
		checkRefused(t, execute(t, program("ringline", append(args, "--nats-url", s.URL())...)), []string{args[len(args)-2] + ": must be 1 to "})
	}
	r = execute(t, program("ringline", "invite", "bob\xff", "--user", "ann", "--nats-url", s.URL()))
	checkRefused(t, r, []string{"is not valid UTF-8"})
}
