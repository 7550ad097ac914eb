package coordinator_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/call"
	"ringline.io/ringline/worker/coordinator"
	"ringline.io/ringline/worker/meter"
	"ringline.io/ringline/worker/streams"
)

// childEnv makes the test binary run a coordinator: <url> <step> <count> <then>. At the step it reports "reached". With "die"
// it then blocks forever, otherwise it sleeps for a second and continues.
const childEnv = "RINGLINE_TEST_COORDINATOR"

func TestMain(m *testing.M) {
	if args := os.Getenv(childEnv); args != "" {
		if err := child(strings.Fields(args)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	if *soak {
		os.Exit(m.Run())
	}
	os.Exit(natstest.RunParallel(m, 8))
}

func child(args []string) error {
	nc, err := nats.Connect(args[0], nats.Timeout(within))
	if err != nil {
		return err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	count, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	var done atomic.Int32
	cfg := coordinator.Config{Parallel: 4, Limits: defaults}
	cfg.OnStep = func(s meter.Step) {
		if string(s) == args[1] && int(done.Add(1)) == count {
			fmt.Println("reached") // the parent stops or kills this process before it continues
			if args[3] == "die" {
				select {}
			}
			time.Sleep(time.Second)
		}
	}
	return coordinator.New(nc, js, zerolog.Nop(), cfg).Run(context.Background())
}

func defaults(context.Context, string) (call.Limits, error) { return call.DefaultLimits(), nil }

// startChild starts a coordinator in a separate process. It also returns a function that waits for the step.
func startChild(t *testing.T, s *natstest.Server, step meter.Step, count int, then string) (*os.Process, func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s %d %s", childEnv, s.URL(), step, count, then))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd.Process, func() {
		t.Helper()
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			t.Fatalf("the child says %q, %v", line, err)
		}
	}
}

// If a coordinator is killed in the middle of an invitation, the next coordinator finishes it. The next invitation to the same
// users is then decided correctly.
func TestKilledAtEveryStepOfAnInvitation(t *testing.T) {
	parallel(t)
	for _, c := range []struct {
		step  meter.Step
		count int
		open  bool // bob's line is not claimed yet, so the next invitation may claim it
	}{
		{meter.StepLoaded, 1, true},
		{meter.StepClaimed, 1, true},
		{meter.StepClaimed, 2, false},
		{meter.StepCommitted, 1, false},
		{meter.StepNotified, 1, false},
		{meter.StepAnswered, 1, false},
	} {
		t.Run(fmt.Sprintf("%s %d", c.step, c.count), func(t *testing.T) {
			t.Parallel()
			s := natstest.Start(t)
			natstest.Watch(t, s, natstest.Notification, natstest.Logged)
			i := newIntegrator(t, s)
			bob := i.user("bob")
			process, reached := startChild(t, s, c.step, c.count, "die")
			i.publish("c1", "invite", invitation("k1", "ann", "bob"), "first")
			reached()
			if err := process.Kill(); err != nil {
				t.Fatal(err)
			}
			startWorkers(t, s, 1)
			start := time.Now()
			second := i.ok("c2", "invite", invitation("k1", "eve", "bob"))
			took := time.Since(start)
			t.Logf("the next invitation took %v", took)
			if took > 25*time.Second {
				t.Errorf("the next invitation took %v", took)
			}
			i.handled()
			rings, busy := i.get("c1"), second
			if c.open && second["state"] == "ringing" {
				rings, busy = second, rings
			}
			expect(t, rings, object{"state": "ringing"})
			expect(t, busy, object{"state": "ended", "end_reason": "busy"})
			expect(t, bob.next("incoming_call_received"), object{"call_id": rings["call_id"]})
			bob.nothingNew()
		})
	}
}

// A worker that stalls after its claims, until they were taken over, puts no user into two calls when it resumes. That holds
// whether another worker carried out its command or not.
func TestPausedAfterItsClaims(t *testing.T) {
	parallel(t)
	for _, held := range []bool{true, false} {
		t.Run(fmt.Sprintf("its command was held: %v", held), func(t *testing.T) {
			t.Parallel()
			s := natstest.Start(t)
			natstest.Watch(t, s, natstest.Notification, natstest.Logged)
			i := newIntegrator(t, s)
			bob := i.user("bob")
			process, reached := startChild(t, s, meter.StepClaimed, 2, "pause")
			i.publish("c1", "invite", invitation("k1", "ann", "bob"), "")
			reached()
			signal(t, process, syscall.SIGSTOP)
			release := func() {}
			if held {
				release = holdNext(t, s)
			}
			startWorkers(t, s, 1)
			if held {
				i.grownOld(s, "bob", "c1")
			} else {
				bob.next("incoming_call_received")
				i.ok("c1", "decline", by("d1", "bob"))
				bob.next("incoming_call_declined_elsewhere")
				bob.next("call_ended")
			}
			expect(t, i.ok("c2", "invite", invitation("k1", "eve", "bob")), object{"state": "ringing"})
			expect(t, bob.next("incoming_call_received"), object{"call_id": "c2"})
			signal(t, process, syscall.SIGCONT)
			release()
			i.handled()
			if held {
				expect(t, i.request("get", `{"call_id":"c1"}`)["error"].(object), object{"code": "not_found"})
			} else {
				expect(t, i.get("c1"), object{"state": "ended", "end_reason": "declined"})
			}
			expect(t, i.get("c2"), object{"state": "ringing"})
			bob.nothingNew() // the resumed worker may repeat notifications
		})
	}
}

func signal(t *testing.T, p *os.Process, s os.Signal) {
	t.Helper()
	if err := p.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// grownOld makes a claim older than 30 s. A soak waits for that.
func (i *integrator) grownOld(s *natstest.Server, user, callID string) {
	i.t.Helper()
	if *soak {
		time.Sleep(40 * time.Second)
		return
	}
	i.putLine(s, user, callID, time.Minute)
}

// holdNext takes the next delivery of a command and extends its ack wait until release, like a slow worker.
func holdNext(t *testing.T, s *natstest.Server) (release func()) {
	t.Helper()
	cons, err := s.JS.Consumer(t.Context(), streams.StreamCommands, streams.ConsumerCoordinators)
	if err != nil {
		t.Fatal(err)
	}
	m, err := cons.Next(jetstream.FetchMaxWait(within))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = m.InProgress()
			case <-done:
				_ = m.Nak()
				return
			}
		}
	}()
	return func() { close(done) }
}
