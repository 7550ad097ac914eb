package natstest

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"
)

// RunBeside runs the tests, as a TestMain, so many beside each other: they wait for servers more than they compute, so more can
// be than there are processors. It gives the exit code.
func RunBeside(m *testing.M, tests int) int {
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(tests)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
