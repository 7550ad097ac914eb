package streams_test

import (
	"os"
	"testing"

	"ringline.io/ringline/worker/natstest"
)

func TestMain(m *testing.M) { os.Exit(natstest.RunBeside(m, 8)) }
