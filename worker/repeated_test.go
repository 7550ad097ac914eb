package worker_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ringline.io/ringline/worker"
)

// TestRepeated: an error is reported when it is new, and then once a minute.
func TestRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told worker.Repeated
		one, other := errors.New("one"), errors.New("other")
		for n, c := range []struct {
			after time.Duration
			err   error
			again bool
		}{
			{0, one, false},
			{0, one, true},
			{time.Minute - 1, one, true},
			{1, one, false},
			{0, other, false},
			{0, one, false},
			{59 * time.Second, errors.New("one"), true},
		} {
			time.Sleep(c.after)
			if got := told.Again(c.err); got != c.again {
				t.Errorf("%d: %v after %v: told before is %v", n, c.err, c.after, got)
			}
		}
	})
}
