package worker_test

import (
	"os"
	"testing"

	"ringline.io/ringline/internal/natstest"
)

func TestMain(m *testing.M) { os.Exit(natstest.RunBeside(m, 8)) }
