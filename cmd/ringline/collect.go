package main

import (
	"os"
	"runtime/debug"
)

// collectLess lets garbage grow to four times what is in use, for processes in which little lives long: a worker with 10 MB in
// use would collect at each 10 MB, some twenty times a second, and each time the commands in hand wait. GOGC overrules it.
func collectLess() {
	const percent = 400
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}
