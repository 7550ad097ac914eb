//go:build linux

package rig

import (
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
)

// starter does what has to be done in one thread that lives as long as the rig. The kernel ends the processes that it
// starts when that thread ends; and it has mounts of its own, which nobody else sees and which go with the last process.
type starter struct {
	work   chan func()
	mounts error // why it may not mount
}

func newStarter() *starter {
	s := &starter{work: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for f := range s.work {
			f()
		}
	}()
	s.do(func() { s.mounts = ownMounts() })
	return s
}

func ownMounts() error {
	if err := syscall.Unshare(syscall.CLONE_NEWNS); err != nil {
		return fmt.Errorf("rig: mounts of its own: %w", err)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("rig: mounts of its own: %w", err)
	}
	return nil
}

// do does something in that thread, and waits for it.
func (s *starter) do(f func()) {
	done := make(chan struct{})
	s.work <- func() { defer close(done); f() }
	<-done
}

func (s *starter) start(cmd *exec.Cmd) (err error) {
	s.do(func() { err = cmd.Start() })
	return err
}

// end ends the thread, and with it what it started.
func (s *starter) end() { close(s.work) }

// CanMount says whether this process may give brokers disks of their own.
func CanMount() bool {
	s := newStarter()
	defer s.end()
	return s.mounts == nil
}
