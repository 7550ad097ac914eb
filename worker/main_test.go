package worker_test

import (
	"os"
	"testing"

	"ringline.io/ringline/internal/natstest"
)

func TestMain(m *testing.M) { os.Exit(natstest.RunParallel(m, 8)) }
