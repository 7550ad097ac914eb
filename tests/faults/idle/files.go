//go:build linux

package idle

import (
	"fmt"
	"syscall"
)

// RaiseFiles raises the limit of open files for this process and its children, to allow the given number of
// sessions. It returns the number of sessions that the new limit allows.
func RaiseFiles(sessions int) (most int, err error) {
	const spare = 500
	want := uint64(sessions + spare) //nolint:gosec // it is not below 0
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("limit of open files: %w", err)
	}
	if l.Cur >= want {
		return sessions, nil
	}
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: want, Max: max(want, l.Max)}) == nil {
		return sessions, nil
	}
	l.Cur = l.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("limit of open files: %w", err)
	}
	return max(0, int(l.Max)-spare), nil //nolint:gosec // it is below what was wanted
}
