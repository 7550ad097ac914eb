package natstest

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"
)

// RunParallel runs the tests of a TestMain with this parallelism. Tests mostly wait for servers, so more tests than CPUs
// can run at once. It returns the exit code.
func RunParallel(m *testing.M, tests int) int {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(tests)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
