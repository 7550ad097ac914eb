//go:build linux

package rig

import (
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
)

// starter runs functions on one OS thread that lives as long as the rig. When the thread ends, the kernel
// kills the processes that it started. The thread has its own mount namespace, which disappears with the last
// process in it.
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
		return fmt.Errorf("rig: private mounts: %w", err)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("rig: private mounts: %w", err)
	}
	return nil
}

// do runs f on the thread, and waits for it.
func (s *starter) do(f func()) {
	done := make(chan struct{})
	s.work <- func() { defer close(done); f() }
	<-done
}

func (s *starter) start(cmd *exec.Cmd) (err error) {
	s.do(func() { err = cmd.Start() })
	return err
}

// end ends the thread, and so the processes that it started.
func (s *starter) end() { close(s.work) }

// CanMount reports whether this process is allowed to mount separate disks for brokers.
func CanMount() bool {
	s := newStarter()
	defer s.end()
	return s.mounts == nil
}
