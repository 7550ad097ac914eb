package serve

import (
	"os"
	"testing"
	"time"

	"ringline.io/ringline/internal/natstest"
)

func TestMain(m *testing.M) { os.Exit(natstest.RunParallel(m, 4)) }

// within is the timeout for things that should take milliseconds.
const within = time.Minute

// poll waits until so is true.
func poll(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %s within %v", what, within)
		}
	}
}
