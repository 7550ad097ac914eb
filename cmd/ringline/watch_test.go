package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// timeOfDay is the start of a line.
const timeOfDay = `^\d\d:\d\d:\d\d\.\d{3}  `

// TestWatch watches a whole call in every mode.
func TestWatch(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--memory")
	watch := func(ready string, args ...string) *process {
		p := start(t, program("ringline", append([]string{"watch", "--nats-url", d.nats}, args...)...))
		p.wait(&p.stderr, ready)
		return p
	}
	bob := watch(`^watching the notifications of bob in app demo on nats://`, "--user", "bob")
	bobJSON := watch(`^watching the notifications of bob`, "--user", "bob", "--json")
	all := watch(`^watching everything in app demo on`)
	bob.wait(&bob.stderr, `^ring bob from another terminal:  \S+ringline invite bob --user ann --nats-url nats://`)

	d.ok(t, "invite", "bob", "eve", "--user", "ann", "--name", "Ann", "--call", "c1", "--video", "--data", "hi\n"+strings.Repeat("x", 90))
	d.ok(t, "ring", "c1", "--user", "bob")
	d.ok(t, "decline", "c1", "--user", "eve", "--device", "tablet", "--data", "later")
	d.ok(t, "accept", "c1", "--user", "bob", "--device", "phone-1")
	d.ok(t, "leave", "c1", "--user", "ann")
	one := watch(`^watching call c1 in app demo`, "--call", "c1") // from the first transition

	data := `"hi\\nx{57}"…`
	bobsLines := []string{
		`bob    incoming_call_received +c1-1-0  from Ann \(ann\)  with eve  video  ` + data + `  rings \d+s$`,
		`bob    incoming_call_answered_elsewhere +c1-4-0  by bob/phone-1$`,
		`bob    call_ended +c1-5-0  completed  by ann$`,
	}
	transitions := []string{
		`c1 #1  invited by ann: ann in, bob invited, eve invited  video  ` + data + `$`,
		`c1 #2  ringing by bob: bob invited→ringing$`,
		`c1 #3  declined by eve/tablet: eve invited→declined  "later"$`,
		`c1 #4  accepted by bob/phone-1: bob ringing→accepted$`,
		`c1 #5  left by ann: ann in→left, bob accepted→left \(ended\)  call ended: completed$`,
	}
	ann := []string{
		`ann    outgoing_call_ringing +c1-2-0  bob  rings \d+s$`,
		`ann    outgoing_call_declined +c1-3-0  eve/tablet  "later"  rings \d+s$`,
		`ann    outgoing_call_accepted +c1-4-0  bob/phone-1$`,
		`ann    call_ended +c1-5-0  completed  by ann$`,
	}
	bob.exactly(bobsLines)
	one.exactly(transitions)
	all.exactly(slices.Concat(bobsLines, transitions, ann, []string{`eve    incoming_call_received `, `eve    incoming_call_declined_elsewhere `, `eve    call_ended +c1-3-\d  declined`}))

	var ids []string
	for _, line := range bobJSON.stdout.list() {
		var n struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal([]byte(line), &n); err != nil {
			t.Errorf("%v: %q", err, line)
		}
		ids = append(ids, n.ID)
	}
	if want := []string{"c1-1-0", "c1-4-0", "c1-5-0"}; !slices.Equal(ids, want) {
		t.Errorf("as JSON: %v, want %v", ids, want)
	}
	for _, p := range []*process{bob, bobJSON, all, one} {
		p.end(syscall.SIGINT)
	}
}

// exactly requires one line per pattern, in any order, and no others.
func (p *process) exactly(patterns []string) {
	p.t.Helper()
	poll(p.t, "all lines", func() bool { return len(p.stdout.list()) >= len(patterns) }, &p.stdout)
	got := p.stdout.list()
	for _, pattern := range patterns {
		re := regexp.MustCompile(timeOfDay + pattern)
		i := slices.IndexFunc(got, re.MatchString)
		if i < 0 {
			p.t.Errorf("%v: no line %q in\n%s", p.cmd.Args, pattern, p.stdout.all())
			continue
		}
		got = slices.Delete(got, i, i+1)
	}
	if len(got) > 0 {
		p.t.Errorf("%v: too many lines: %q", p.cmd.Args, got)
	}
}

// TestEventLogExample reads the transitions of a call through the consumer analytics, each once.
func TestEventLogExample(t *testing.T) {
	t.Parallel()
	d := startDev(t, "--memory")
	read := func() *process {
		cmd := program("event-log")
		cmd.Env = append(cmd.Env, "NATS_URL="+d.nats)
		return start(t, cmd)
	}
	d.ok(t, "invite", "bob", "--user", "ann", "--call", "c1")
	first := read()
	first.wait(&first.stdout, ` c1-1 +invited$`)
	d.ok(t, "cancel", "c1", "--user", "ann")
	first.wait(&first.stdout, ` c1-2 +canceled +ended: canceled$`)
	first.end(syscall.SIGINT)

	second := read() // continues where the first ended
	d.ok(t, "invite", "bob", "--user", "ann", "--call", "c2")
	second.wait(&second.stdout, ` c2-1 +invited$`)
	second.end(syscall.SIGTERM)
	if n := len(first.stdout.list()); n != 2 {
		t.Errorf("the first printed %d lines\n%s", n, first.stdout.all())
	}
	if n := len(second.stdout.list()); n != 1 {
		t.Errorf("the second printed %d lines\n%s", n, second.stdout.all())
	}
}
