//go:build linux

package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Process is a program that can be started repeatedly.
type Process struct {
	Name string

	path string
	args []string
	env  []string
	log  string
	from *starter

	mu     sync.Mutex
	cmd    *exec.Cmd
	ended  chan struct{} // closed when cmd has ended
	wanted bool          // it must run; if it ends by itself, that is an error
	result error         // of the last process that ended by itself
	errs   []error
}

// Start starts the process, unless it runs.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		return nil
	}
	log, err := os.OpenFile(filepath.Clean(p.log), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("rig: log of %s: %w", p.Name, err)
	}
	defer func() { _ = log.Close() }()                                  // the process has its own descriptor
	cmd := exec.CommandContext(context.Background(), p.path, p.args...) // Kill and Stop end it
	cmd.Env, cmd.Stdout, cmd.Stderr = p.env, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := p.from.start(cmd); err != nil {
		return fmt.Errorf("rig: start %s: %w", p.Name, err)
	}
	p.cmd, p.ended, p.wanted = cmd, make(chan struct{}), true
	go p.wait(cmd, p.ended)
	return nil
}

func (p *Process) wait(cmd *exec.Cmd, ended chan struct{}) {
	err := cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wanted {
		p.result = err
		p.errs = append(p.errs, fmt.Errorf("rig: %s ended by itself: %w", p.Name, errors.Join(err, errEnded)))
	}
	p.cmd = nil
	close(ended)
}

var errEnded = errors.New("it was not stopped by the harness")

// Ended waits until the process ends by itself, as expected. If the process failed, the error contains its
// output. If ctx ends first, Ended kills the process.
func (p *Process) Ended(ctx context.Context) error {
	p.mu.Lock()
	ended := p.ended
	p.mu.Unlock()
	select {
	case <-ended:
	case <-ctx.Done():
		p.Kill()
		return ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.result == nil {
		return nil
	}
	said, err := os.ReadFile(filepath.Clean(p.log))
	if err != nil {
		said = []byte(err.Error())
	}
	const most = 2000
	return fmt.Errorf("rig: %s: %w: %s", p.Name, p.result, said[max(0, len(said)-most):])
}

// Errors lists the unexpected ends of the process.
func (p *Process) Errors() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.errs
}

// Kill ends the process immediately.
func (p *Process) Kill() { p.end(syscall.SIGKILL, 0) }

// Stop sends SIGTERM and waits at most most, then kills the process. It returns the time it took, and whether
// the process ended by itself.
func (p *Process) Stop(most time.Duration) (took time.Duration, ended bool) {
	begun := time.Now()
	ended = p.end(syscall.SIGTERM, most)
	return time.Since(begun), ended
}

// end returns false if it had to kill the process after the time limit.
func (p *Process) end(sig syscall.Signal, most time.Duration) bool {
	p.mu.Lock()
	cmd, ended := p.cmd, p.ended
	p.wanted = false
	if cmd != nil {
		_ = cmd.Process.Signal(sig) // it may have just ended
	}
	p.mu.Unlock()
	if cmd == nil {
		return true
	}
	if sig == syscall.SIGKILL {
		<-ended
		return true
	}
	select {
	case <-ended:
		return true
	case <-time.After(most):
		p.signal(syscall.SIGKILL)
		<-ended
		return false
	}
}

// Pause stops the process with SIGSTOP. Continue resumes it.
func (p *Process) Pause() { p.signal(syscall.SIGSTOP) }

// Continue resumes the process after Pause.
func (p *Process) Continue() { p.signal(syscall.SIGCONT) }

// Runs reports whether the process was started and has not ended. A paused process counts as running.
func (p *Process) Runs() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd != nil
}

func (p *Process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(sig) // it may have just ended
	}
}
