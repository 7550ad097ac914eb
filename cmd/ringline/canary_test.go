package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ringline.io/ringline/events"
	"ringline.io/ringline/schemas/check"
)

// canary marks data that must not appear in a log: custom data, names, devices, tokens and passwords. Ids, and subjects
// with ids, may appear.
const canary = "CANARY"

// feeder sends canaries to the workers of a NATS server.
type feeder struct {
	t    *testing.T
	nats *natsServer
	nc   *nats.Conn
	js   jetstream.JetStream

	coordinator, timeouts *devServer
}

// TestLogsContainNoPrivateData sends canaries through every path of workers that log at level debug.
func TestLogsContainNoPrivateData(t *testing.T) {
	t.Parallel()
	f := newFeeder(t)
	f.commandsThatAreHandled()
	f.commandsThatAreRejected()
	f.requests()
	f.storeMalformed()
	f.failingStores()
	f.deadlinesThatFail()
	f.tokensThatMayNotBeUsed()
	f.natsGoesAway()
	for _, d := range []*devServer{f.coordinator, f.timeouts} {
		silent(t, d.process)
		if status, body := d.get(t, "/"+canary+"?token="+canary); status != http.StatusNotFound || strings.Contains(body, canary) {
			t.Errorf("%d %s", status, body)
		}
		if _, body := d.get(t, "/metrics"); strings.Contains(body, canary) || strings.Contains(body, `demo`) {
			t.Errorf("private data in the metrics:\n%s", body)
		}
		d.end(syscall.SIGTERM)
		silent(t, d.process)
	}
}

// silent checks that the output of a process contains no canary.
func silent(t *testing.T, p *process) {
	t.Helper()
	for _, line := range append(p.stdout.list(), p.stderr.list()...) {
		if i := strings.Index(line, canary); i >= 0 {
			t.Errorf("%v prints private data …%.60s…\n%.2000s", p.cmd.Args[1:], line[i:], line)
		}
	}
}

// newFeeder starts workers, then a server with passwords. One worker may not publish the answers of the app mute.
func newFeeder(t *testing.T) *feeder {
	t.Helper()
	n := newNATS(t, func(o *server.Options) {
		o.Users = []*server.User{
			{Username: canary + "admin", Password: canary + "secret"},
			{
				Username: canary + "worker", Password: canary + "hush",
				Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"ringline.mute.answer.>"}}},
			},
		}
	})
	host := strings.TrimPrefix(n.url, "nats://")
	f := &feeder{t: t, nats: n}
	n.url = "nats://" + canary + "worker:" + canary + "hush@" + host
	f.coordinator = n.startWorker(t, "coordinator", "RINGLINE_LOG_LEVEL=debug")
	f.timeouts = n.startWorker(t, "timeouts", "RINGLINE_LOG_LEVEL=debug", "RINGLINE_SWEEP_EVERY=1s")
	f.coordinator.wait(&f.coordinator.stderr, `NATS is unreachable`)
	n.start(t)
	f.commandLine(host)
	f.secretFiles()
	n.setUp(t)
	f.coordinator.running(t)
	f.timeouts.running(t)
	f.nc, f.js = n.connect(t)
	return f
}

// commandLine checks that output for humans never contains a password.
func (f *feeder) commandLine(host string) {
	for _, args := range [][]string{{"setup", "--check"}, {"setup"}, {"list"}, {"config"}, {"invite", "bob", "--user", "ann", "--app", "cli"}} {
		r := f.nats.ringline(f.t, []string{"RINGLINE_LOG_LEVEL=debug"}, args...)
		bad := f.nats.ringline(f.t, []string{"RINGLINE_LOG_LEVEL=debug"}, append(args, "--nats-url", "nats://"+canary+":"+canary+"@"+host)...)
		if all := r.stdout + r.stderr + bad.stdout + bad.stderr; strings.Contains(all, canary) {
			f.t.Errorf("%v prints private data:\n%s", args, all)
		}
	}
}

// secretFiles checks that an error about a file does not contain the file's content.
func (f *feeder) secretFiles() {
	for _, text := range []string{
		canary, "-----BEGIN NATS USER JWT-----\n" + canary + "\n------END NATS USER JWT------\n-----BEGIN USER NKEY SEED-----\nSU" + canary + "\n------END USER NKEY SEED------\n",
		"-----BEGIN NATS USER JWT-----\n" + canary + "." + canary + "." + canary + "\n------END NATS USER JWT------\n-----BEGIN USER NKEY SEED-----\n" + nkeySeed + "\n------END USER NKEY SEED------\n",
		"-----BEGIN CERTIFICATE-----\n" + canary + "\n-----END CERTIFICATE-----\n", nkeySeed + canary,
	} {
		file := write(f.t, "secret", text)
		for _, name := range []string{"CREDS", "NKEY", "TLS_CA"} {
			r := f.nats.ringline(f.t, []string{"RINGLINE_NATS_" + name + "=" + file}, "config", "--check")
			if all := r.stdout + r.stderr; strings.Contains(all, canary) || strings.Contains(all, nkeySeed[2:20]) || r.code == 0 && text == canary {
				f.t.Errorf("%s with %q: %+v", name, text, r)
			}
		}
	}
}

// send publishes a command with a canary as its answer token.
func (f *feeder) send(app, call, verb, body string) {
	f.t.Helper()
	m := nats.NewMsg(fmt.Sprintf("ringline.%s.cmd.%s.%s", app, call, verb))
	m.Header.Set(events.HeaderAnswer, canary+"-token."+canary)
	m.Data = []byte(body)
	if _, err := f.js.PublishMsg(f.t.Context(), m); err != nil {
		f.t.Fatal(err)
	}
}

// raw stores a message directly, without a worker.
func (f *feeder) raw(subject, body string) {
	f.t.Helper()
	if _, err := f.js.Publish(f.t.Context(), subject, []byte(body)); err != nil {
		f.t.Fatal(err)
	}
}

// handled waits until no command is left. It fails when their number stops falling.
func (f *feeder) handled() {
	f.t.Helper()
	for left := uint64(math.MaxUint64); left > 0; {
		poll(f.t, fmt.Sprintf("end of %d commands", left), func() bool {
			st, err := f.js.Stream(f.t.Context(), "RINGLINE_COMMANDS")
			if err != nil || st.CachedInfo().State.Msgs >= left {
				return false
			}
			left = st.CachedInfo().State.Msgs
			return true
		}, &f.coordinator.stderr)
	}
}

// logged requires a log line, which proves that the path was taken.
func (f *feeder) logged(d *devServer, pattern string) {
	f.t.Helper()
	d.wait(&d.stderr, pattern)
}

// request sends a request to the API and returns the answer.
func (f *feeder) request(method, body string) string {
	f.t.Helper()
	m, err := f.nc.Request("ringline.demo.api."+method, []byte(body), within)
	if err != nil {
		f.t.Fatalf("%s: %v", method, err)
	}
	return string(m.Data)
}

// people is the personal part of any command: user, device and custom data.
func people(user, more string) string {
	return fmt.Sprintf(`{"command_id":"k-%s","user_id":%q,"device_id":"%s-device","custom_data":"%s-data"%s}`, user, user, canary, canary, more)
}

func invitationOf(user, callee, more string) string {
	return people(user, fmt.Sprintf(`,"user_name":"%s-name","call_type":0,"room_id":"%s-room","callees":[{"user_id":%q,"user_name":"%s-callee"}]%s`,
		canary, canary, callee, canary, more))
}

// commandsThatAreHandled sends every verb, both accepted and refused.
func (f *feeder) commandsThatAreHandled() {
	ring := `{"command_id":"k","user_id":"bob","device_id":"` + canary + `"}`
	add := people("ann", `,"callees":[{"user_id":"joe","user_name":"`+canary+`"}]`)
	list := []struct{ call, verb, body string }{
		{"c1", "invite", invitationOf("ann", "bob", "")},
		{"c1", "ring", ring},
		{"c1", "accept", people("bob", "")},
		{"c1", "add", strings.Replace(add, "k-ann", "k-add", 1)},
		{"c1", "cancel", strings.Replace(people("ann", `,"callees":["joe"]`), "k-ann", "k-cancel", 1)},
		{"c1", "invite", invitationOf("ann", "bob", "")}, // a repeat
		{"c1", "invite", invitationOf("mal", "bob", "")}, // already exists
		{"c2", "invite", invitationOf("eve", "bob", "")}, // busy
		{"c1", "accept", people("mal", "")},              // denied
		{"c1", "decline", people("bob", `,"attempt":7`)}, // not pending
		{"c1", "decline", people("mal", "")},             // denied
		{"c1", "expire", `{"command_id":"k","service":"` + canary + `"}`},
		{"c1", "leave", strings.Replace(people("bob", ""), "k-bob", "k-leave", 1)},
		{"c1", "end", people("ann", "")},
		{"c3", "invite", invitationOf("eve", "bob", `,"ring_timeout_s":1`)},
		{"c9", "ring", ring},             // not found
		{"c9", "add", add},               // waits for its call
		{"c9", "end", people("ann", "")}, // waits for its call
	}
	for _, x := range list {
		if f.send("demo", x.call, x.verb, x.body); x.call != "c9" { // c9 waits for its call
			f.handled()
		}
	}
	for call, want := range map[string]string{"c1": `"end_reason":"completed"`, "c2": `"end_reason":"busy"`} {
		if got := f.request("get", `{"call_id":"`+call+`"}`); !strings.Contains(got, want) || !strings.Contains(got, canary) {
			f.t.Errorf("%s: %s", call, got)
		}
	}
	poll(f.t, "end of c3", func() bool { return strings.Contains(f.request("get", `{"call_id":"c3"}`), "timed_out") })
	f.logged(f.coordinator, `"reason":"no_call_yet"`)
}

// badValues are malformed JSON, and JSON that no field accepts.
func badValues() []string {
	return []string{
		`{"` + canary + `":1}`, `["` + canary + `"]`, `"` + canary + `\u0000"`, `"` + canary + ` with spaces"`, `"` + canary + `\ud800"`, `"\q` + canary + `"`,
		`"` + canary + strings.Repeat("x", 5000) + `"`, canary, `"` + canary, `"` + canary + "\xff\"", `"` + canary + "\n\"", "-1e999", `7.5`, `null`, `true`,
	}
}

// commandsThatAreRejected sends every field of every verb with bad values, and malformed bodies. It uses several calls,
// because the commands of one call are handled sequentially.
func (f *feeder) commandsThatAreRejected() {
	fields := map[string]any{canary: nil}
	for _, verb := range events.Verbs() {
		schema, err := check.Schema("command/" + string(verb) + "/v1.json")
		if err != nil {
			f.t.Fatal(err)
		}
		maps.Copy(fields, schema["properties"].(map[string]any))
	}
	n := 0
	send := func(verb, body string) {
		f.send("demo", fmt.Sprintf("r%d", n%16), verb, body)
		n++
	}
	for _, verb := range append(events.Verbs(), "shout") {
		for field := range fields {
			for _, value := range badValues() {
				send(string(verb), fmt.Sprintf(`{%q:%s}`, field, value))
			}
		}
		for _, body := range append(badValues(), "", `{"custom_data":"`+canary+`"}`+canary, `{"reason":"`+canary+`","reason":"`+canary+`"}`,
			`{"callees":[{"user_id":"a","`+canary+`":1}]}`, `{"callees":[{"user_id":"`+canary+`\u0000"}]}`, `{"callees":["`+canary+`\u0000"]}`) {
			send(string(verb), body)
		}
	}
	m := nats.NewMsg("ringline.demo.cmd.r1.invite")
	m.Header.Set(events.HeaderAnswer, canary+".a.b")
	m.Data = []byte(invitationOf("ann", "bob", ""))
	if _, err := f.js.PublishMsg(f.t.Context(), m); err != nil {
		f.t.Fatal(err)
	}
	f.handled()
	if got := f.coordinator.count("command rejected"); got < n*9/10 { // a few are valid, and are refused instead
		f.t.Errorf("%d of %d were rejected", got, n)
	}
	f.logged(f.coordinator, `"reason":"header Ringline-Answer: must be `)
	f.logged(f.coordinator, `"reason":".*: unknown field, invite has command_id, `)
}

// requests sends malformed requests, and one whose reply subject is not an inbox, so that another client could receive
// the answer.
func (f *feeder) requests() {
	methods := []string{"get", "line", "list", "shout"}
	for _, v := range events.Verbs() {
		methods = append(methods, string(v))
	}
	for _, method := range methods {
		for _, value := range badValues() {
			for _, body := range []string{value, `{"call_id":` + value + `}`, `{"user_id":` + value + `}`, `{"state":` + value + `}`, `{"` + canary + `":` + value + `}`} {
				if got := f.request(method, body); !strings.Contains(got, `"ok":false`) && !strings.Contains(got, `[]`) {
					f.t.Errorf("%s of %s: %s", method, body, got)
				}
			}
		}
	}
	if err := f.nc.PublishRequest("ringline.demo.api.get", canary+".reply", []byte(canary)); err != nil {
		f.t.Fatal(err)
	}
	f.logged(f.coordinator, `reply subject is not an inbox`)
}

// natsGoesAway stops and restarts NATS.
func (f *feeder) natsGoesAway() {
	f.nats.stop()
	for _, d := range []*devServer{f.coordinator, f.timeouts} {
		d.readiness(f.t, http.StatusServiceUnavailable, "waiting for NATS at ")
	}
	f.nats.start(f.t)
	for _, d := range []*devServer{f.coordinator, f.timeouts} {
		d.readiness(f.t, http.StatusOK, "true")
	}
}

// TestDevLogsContainNoPrivateData sends input that the embedded server cannot parse. The server logs it; our log must not contain
// it.
func TestDevLogsContainNoPrivateData(t *testing.T) {
	t.Parallel()
	cmd := program("ringline", "dev", "--memory", "--port", "0", "--http", "127.0.0.1:0")
	cmd.Env = append(cmd.Env, "RINGLINE_LOG_LEVEL=debug")
	p := start(t, cmd)
	url := p.wait(&p.stdout, `^  NATS +(\S+)$`)[1]
	p.wait(&p.stdout, `^Next, `)
	for _, text := range []string{
		canary + "\r\n", "CONNECT {\"pass\":\"" + canary + "\r\n", "PUB " + canary + " " + canary + " " + canary + " " + canary + "\r\n", "HPUB a " + canary + " 2\r\n",
		"PUB a 5\r\n" + canary + canary + "\r\n", "SUB " + canary + "\r\n", "GET /" + canary + " HTTP/1.1\r\n\r\n",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		c, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(url, "nats://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(within))
		for b := make([]byte, 4096); ; { // until the server disconnects
			if _, err := c.Read(b); err != nil {
				break
			}
		}
		_ = c.Close()
		cancel()
	}
	nc, err := nats.Connect(url, nats.Timeout(within))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for _, api := range []string{"STREAM.CREATE.X", "STREAM.UPDATE.RINGLINE_CALLS", "CONSUMER.CREATE.RINGLINE_CALLS", "STREAM.MSG.GET.RINGLINE_CALLS"} {
		if _, err := nc.Request("$JS.API."+api, []byte(`{"`+canary), within); err != nil {
			t.Errorf("%s: %v", api, err)
		}
	}
	p.wait(&p.stderr, `"component":"nats_server".*parser ERROR.*proto=`)
	p.wait(&p.stderr, `Invalid JetStream request .*STREAM\.CREATE\.X`)
	silent(t, p)
	p.end(syscall.SIGTERM)
	silent(t, p)
}
