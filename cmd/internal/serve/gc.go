package serve

import (
	"os"
	"runtime/debug"
)

// CollectLess sets GOGC to 400, for processes whose objects are mostly short-lived. With the default, a worker with a
// live heap of 10 MB collects some 20 times a second. Each collection delays the commands in flight. The environment
// variable GOGC overrides it.
func CollectLess() {
	const percent = 400
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}
