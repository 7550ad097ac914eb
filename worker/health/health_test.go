package health_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringline.io/ringline/worker/health"
)

func shown(h *health.Health) string {
	s := h.State()
	return fmt.Sprintf("%v %q %v %v", s.Ready(), s.Phase, s.Failing, s.Degraded)
}

// A process is ready once every condition that it needs has been OK and Running was called.
func TestStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := health.New(time.Now)
		api, apps := h.Needs(health.API, health.Hold), h.Needs(health.Apps, health.Hold)
		h.Degrades(health.Storage)
		started := make(chan error, 1)
		go func() { started <- h.Started(t.Context()) }()
		h.Running("starting")
		check := func(want string) {
			t.Helper()
			if got := shown(h); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		check(`false "" [api: starting apps: starting] []`)
		api.Fail("no room")
		apps.OK()
		check(`false "" [api: no room] []`)
		synctest.Wait()
		if len(started) != 0 {
			t.Error("started before the api was OK")
		}
		api.OK()
		check(`true "" [] []`)
		if err := <-started; err != nil {
			t.Error(err)
		}
		h.Phase("stopping")
		h.Running("starting") // a late call for another phase does nothing
		check(`false "stopping" [] []`)
	})
}

// A state is shown once it has held. A failure that ends sooner is not shown.
func TestHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := health.New(time.Now)
		setup, full := h.Needs(health.Setup, 10*time.Second), h.Degrades(health.Storage)
		setup.OK()
		h.Running("starting")
		const fine = `true "" [] []`
		check := func(want string) {
			t.Helper()
			if got := shown(h); got != want {
				t.Errorf("after %v: %s, want %s", time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)), got, want)
			}
		}
		check(fine)
		setup.Fail("stream A is missing")
		full.Fail("80 %")
		time.Sleep(health.Hold - 1)
		check(fine)
		full.Fail("81 %") // still the same failure
		time.Sleep(time.Nanosecond)
		check(`true "" [] [storage: 81 %]`)
		time.Sleep(5 * time.Second)
		check(`false "" [setup: stream A is missing] [storage: 81 %]`)
		setup.OK()
		full.OK()
		time.Sleep(health.Hold - 1)
		setup.Fail("stream B is missing")
		check(`false "" [setup: stream B is missing] [storage: 81 %]`)
		time.Sleep(time.Nanosecond)
		check(`false "" [setup: stream B is missing] []`)
		setup.OK()
		time.Sleep(health.Hold)
		check(fine)
		for range 100 { // a failure that comes and goes
			setup.Fail("stream C is missing")
			time.Sleep(9 * time.Second)
			check(fine)
			setup.OK()
			time.Sleep(time.Second)
		}
		full.Fail("90 %")
		time.Sleep(time.Hour)
		full.OK() // the failure had held, although State was not called
		check(`true "" [] [storage: 90 %]`)
	})
}

// A sampled state is shown once all samples over that time found it, because a single sample may be outdated at once.
func TestSampled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := health.New(time.Now)
		broker := h.Degrades(health.Broker).Sampled()
		h.Running("starting")
		check := func(want string) {
			t.Helper()
			if got := shown(h); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		const fine, silent = `true "" [] []`, `true "" [] [broker: silent]`
		look := func(why string) {
			if why == "" {
				broker.OK()
			} else {
				broker.Fail(why)
			}
		}
		look("silent")
		time.Sleep(health.Hold)
		check(fine)
		look("")
		check(fine)
		look("silent")
		time.Sleep(health.Hold)
		look("silent")
		check(silent)
		look("")
		time.Sleep(health.Hold)
		check(silent)
		look("silent")
		check(silent)
		look("")
		time.Sleep(health.Hold)
		look("")
		check(fine)
	})
}

// Began and Ended list each failure once, although its text changes meanwhile.
func TestBeganAndEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := health.New(time.Now)
		one, other := h.Degrades(health.Setup), h.Degrades(health.Setup)
		one.Fail("A")
		time.Sleep(health.Hold)
		first := h.State()
		one.Fail("A, and worse")
		other.Fail("B")
		time.Sleep(health.Hold)
		second := h.State()
		one.OK()
		time.Sleep(health.Hold)
		third := h.State()
		got := []any{
			health.Began(health.State{}, first), health.Ended(health.State{}, first), health.Began(first, second), health.Ended(first, second),
			health.Began(second, third), health.Ended(second, third),
		}
		if text, want := fmt.Sprint(got), "[[setup: A] [] [setup: B] [] [] [setup: A, and worse]]"; text != want {
			t.Errorf("%s, want %s", text, want)
		}
	})
}

func TestStartedEndsWithItsContext(t *testing.T) {
	t.Parallel()
	h := health.New(time.Now)
	h.Needs(health.API, health.Hold)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := h.Started(ctx); err == nil {
		t.Error("it started without what it needs")
	}
}

func TestNil(t *testing.T) {
	t.Parallel()
	var h *health.Health
	h.Phase("waiting")
	for _, c := range []*health.Condition{h.Needs(health.API, health.Hold), h.Degrades(health.Storage).Sampled()} {
		c.OK()
		c.Fail("no")
	}
	if s := h.State(); !s.Ready() {
		t.Errorf("%+v", s)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	names := health.Names()
	for i, n := range names {
		if n == "" || strings.ToLower(string(n)) != string(n) || slices.Contains(names[:i], n) {
			t.Errorf("%q", n)
		}
	}
}
