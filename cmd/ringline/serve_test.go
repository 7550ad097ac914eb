package main

import (
	"os"
	"testing"
	"time"

	"ringline.io/ringline/worker/natstest"
)

func serveMain(m *testing.M) { os.Exit(natstest.RunBeside(m, 4)) }

// within2 is the timeout for things that should take milliseconds.
const within2 = time.Minute

// poll2 waits until so is true.
func poll2(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within2); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %s within %v", what, within2)
		}
	}
}
