package clock_test

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"ringline.io/ringline/internal/natstest"
	"ringline.io/ringline/worker/clock"
	"ringline.io/ringline/worker/streams"
)

// The leader of a real stream returns its time, and the local clock does not matter.
func TestAsk(t *testing.T) {
	s := natstest.Start(t)
	c := clock.New(func() time.Time { return time.Now().Add(-70 * time.Second) })
	if err := c.Ask(t.Context(), s.NC, "NONE"); err == nil || c.Known() {
		t.Errorf("%v of a stream that is not there", err)
	}
	if err := c.Ask(t.Context(), s.NC, streams.StreamCommands); err != nil {
		t.Fatal(err)
	}
	if off := time.Since(c.Now()); off.Abs() > 30*time.Second {
		t.Errorf("it is wrong by %v", off)
	}
	if skew, known := c.Skew(); !known || (skew+70*time.Second).Abs() > 30*time.Second {
		t.Errorf("the skew is %v, %v", skew, known)
	}
}

// A keeper asks when it is kicked, and warns of a skew.
func TestKeeper(t *testing.T) {
	s := natstest.Start(t)
	lines := make(chan string, 10)
	kick := make(chan struct{})
	c := clock.New(func() time.Time { return time.Now().Add(70 * time.Second) })
	go func() {
		_ = clock.Keeper{Clock: c, NC: s.NC, Stream: streams.StreamCommands, Log: zerolog.New(writer(lines)), Kick: kick}.Run(t.Context())
	}()
	kick <- struct{}{}
	kick <- struct{}{} // returns once the first kick is handled
	if off := time.Since(c.Now()); off.Abs() > 30*time.Second {
		t.Errorf("it is wrong by %v", off)
	}
	if line := <-lines; len(line) == 0 {
		t.Error("no warning")
	}
}

type writer chan string

func (w writer) Write(p []byte) (int, error) { w <- string(p); return len(p), nil }
