package natsconn

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"
)

// TestConnLogLogsOnce: connections that drop and reconnect one after another are one loss. An hour later they are
// another.
func TestConnLogLogsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := &Log{log: zerolog.New(&out)}
		a, b := &nats.Conn{Opts: nats.Options{Name: "a"}}, &nats.Conn{Opts: nats.Options{Name: "b"}}
		lost := errors.New("EOF")
		check := func(step, want string) {
			t.Helper()
			synctest.Wait()
			l.mu.Lock()
			defer l.mu.Unlock()
			if got := out.String(); strings.Count(got, "is unreachable") != strings.Count(want, "-") || strings.Count(got, "connected") != strings.Count(want, "+") {
				t.Errorf("%s: want %q\n%s", step, want, got)
			}
		}
		l.there(a)
		l.there(b)
		time.Sleep(time.Hour)
		check("there at once", "")
		l.gone(a, lost)
		l.there(a)
		check("one is back", "-")
		time.Sleep(settle / 2)
		l.gone(b, lost)
		time.Sleep(time.Minute)
		check("the other is lost", "-")
		l.there(b)
		time.Sleep(settle)
		check("both are back", "-+")
		time.Sleep(time.Hour)
		l.gone(a, lost)
		l.gone(b, lost)
		l.there(b)
		time.Sleep(time.Hour)
		check("lost again", "-+-")
		l.there(a)
		time.Sleep(settle)
		check("back again", "-+-+")
	})
}
