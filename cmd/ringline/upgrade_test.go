package main

import (
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Builds of future releases, each built when it is first needed. The first reads the next format of calls but does not
// write it; the second writes new calls in it. "ringline" is the current build.
var (
	readsNext = sync.OnceValues(func() (string, error) { return release("readsnextformat") })
	begins    = sync.OnceValues(func() (string, error) { return release("nextformat") })
)

func release(tag string) (string, error) {
	return filepath.Join(tag, "ringline"), build(filepath.Join(bin, tag), tag, "ringline.io/ringline/cmd/ringline")
}

// fleet is the running coordinators, and all that have run.
type fleet struct {
	t    *testing.T
	nats *natsServer
	now  []*devServer
	all  []*devServer
}

func (f *fleet) add(build string) {
	f.t.Helper()
	d := f.nats.startBuild(f.t, build, "coordinator").running(f.t)
	f.now, f.all = append(f.now, d), append(f.all, d)
}

// drop ends the oldest coordinator.
func (f *fleet) drop() {
	f.t.Helper()
	f.now[0].end(syscall.SIGTERM)
	f.now = f.now[1:]
}

// replace replaces the oldest coordinator.
func (f *fleet) replace(build string) {
	f.t.Helper()
	f.drop()
	f.add(build)
}

// end ends all coordinators, and requires that none has skipped a transition.
func (f *fleet) end() {
	f.t.Helper()
	for len(f.now) > 0 {
		f.drop()
	}
	for _, d := range f.all {
		if d.count("malformed transition") > 0 || d.count("panic") > 0 {
			f.t.Errorf("%v:\n%s", d.cmd.Args, d.stderr.all())
		}
	}
}

// tooOld is the log text of a coordinator that reads a newer format.
const tooOld = "call is stored in format 3 and this is version "

// warnings counts the log lines with tooOld.
func (f *fleet) warnings() (n int) {
	for _, d := range f.all {
		n += d.count(tooOld)
	}
	return n
}

func newFleet(t *testing.T, size int) (*fleet, *callers) {
	t.Helper()
	n := newNATS(t).start(t).setUp(t).unlimited(t)
	f := &fleet{t: t, nats: n}
	for range size {
		f.add("ringline")
	}
	n.startWorker(t, "timeouts").running(t)
	nc, js := n.connect(t)
	return f, newCallers(t, nc, js)
}

func built(t *testing.T, release func() (string, error)) string {
	t.Helper()
	name, err := release()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// TestUpgradeInTheDocumentedOrder upgrades and downgrades release by release, under a continuous load of calls: first all read the
// next format, then all start calls in it, and back. No coordinator ever reads a format that it does not know.
func TestUpgradeInTheDocumentedOrder(t *testing.T) {
	t.Parallel()
	middle, next := built(t, readsNext), built(t, begins)
	f, p := newFleet(t, 2)
	stop := make(chan struct{})
	playing := p.play("up", 6, stop)
	p.open("old", "ann-old", "bob-old")
	for _, to := range []string{middle, middle, next, next} {
		p.wait(20)
		f.replace(to)
	}
	p.wait(20)
	p.open("new", "ann-new", "bob-new")
	for _, to := range []string{middle, middle} {
		p.wait(20)
		f.replace(to)
	}
	p.do("old", "leave", object{"user_id": "ann-old"}) // started by an earlier and by a later release
	p.do("new", "leave", object{"user_id": "bob-new"})
	p.endsAs("old", "completed")
	p.endsAs("new", "completed")
	p.wait(20)
	close(stop)
	playing.Wait()
	if formats := p.check(f.now...); formats["v2"] < 50 || formats["v3"] < 20 || len(formats) != 2 {
		t.Errorf("calls of each format: %v", formats)
	}
	f.end()
	if n := f.warnings(); n > 0 {
		t.Errorf("a call could not be read %d times", n)
	}
}

// TestUpgradeThatSkipsARelease upgrades to a build whose calls the old build cannot read, and back, under a continuous
// load of calls. Only commands on such calls wait for a newer coordinator.
func TestUpgradeThatSkipsARelease(t *testing.T) {
	t.Parallel()
	next := built(t, begins)
	f, p := newFleet(t, 2)
	began := time.Now()
	stop := make(chan struct{})
	playing := p.play("skip", 6, stop)
	p.open("old", "ann-old", "bob-old")
	p.wait(20)
	f.replace(next)
	p.wait(60) // both builds run at the same time
	f.replace(next)
	p.wait(20)
	p.open("talks", "ann-talks", "bob-talks")
	p.invite("rings", "ann-rings", "bob-rings", 600)
	f.replace("ringline")
	p.wait(60) // the same again
	f.replace("ringline")

	waiting := map[string]<-chan answered{ // for a newer coordinator
		"end":    p.send("talks", "end", object{"service": "desk"}),
		"accept": p.send("rings", "accept", object{"user_id": "bob-rings"}),
		"invite": p.send("busy", "invite", object{
			"user_id": "joe", "call_type": 0, "callees": []object{{"user_id": "bob-rings"}},
		}),
	}
	p.endsAs("talks", "server_ended")
	p.endsAs("rings", "completed")
	p.endsAs("busy", "busy")
	p.endsAs("old", "completed")
	stopOld := make(chan struct{})
	playingOld := p.play("back", 3, stopOld)
	p.wait(30) // only old calls continue
	p.do("old", "leave", object{"user_id": "ann-old"})
	r := f.now[0].run(t, "get", "rings")
	if want := "call rings is stored in format 3, and the coordinator that received the request reads up to 2"; r.code != exitFailed || !strings.Contains(r.stderr, want) {
		t.Errorf("get: %+v", r)
	}
	for what, ch := range waiting {
		select {
		case a := <-ch:
			t.Fatalf("%s was answered by who can't read the call: %s", what, a.text)
		default:
		}
	}
	close(stopOld)
	playingOld.Wait()

	back := time.Now()
	f.add(next)
	for what, ch := range waiting {
		p.ok(what, ch)
		t.Logf("%s was answered %v after a newer coordinator was started, in addition to two old ones", what, time.Since(back))
	}
	p.do("rings", "leave", object{"user_id": "ann-rings"})
	f.drop()
	f.replace(next)
	close(stop)
	playing.Wait()
	if formats := p.check(f.now...); formats["v2"] < 50 || formats["v3"] < 50 || len(formats) != 2 {
		t.Errorf("calls of each format: %v", formats)
	}
	f.end()
	if n, most := f.warnings(), len(f.all)*(1+int(time.Since(began)/time.Minute)); n == 0 || n > most {
		t.Errorf("it was said %d times that a call can't be read, want 1 to %d", n, most)
	}
}
