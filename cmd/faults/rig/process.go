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

// Process is a program that is started again and again.
type Process struct {
	Name string

	path string
	args []string
	env  []string
	log  string
	from *starter

	mu     sync.Mutex
	cmd    *exec.Cmd
	ended  chan struct{} // of cmd, closed when it has ended
	wanted bool          // that it runs; one that ends by itself is a finding
	result error         // of the last one that ended by itself
	errs   []error
}

// Start starts it, unless it runs.
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
	defer func() { _ = log.Close() }()                                  // the process has its own
	cmd := exec.CommandContext(context.Background(), p.path, p.args...) // it is ended by Kill and Stop
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

var errEnded = errors.New("nobody stopped it")

// Ended waits until it ends by itself, as is expected of it, and gives what it said where it failed. It is killed where ctx
// ends first.
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

// Errors lists what it did that nobody asked for.
func (p *Process) Errors() []error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.errs
}

// Kill ends it at once, wherever it is.
func (p *Process) Kill() { p.end(syscall.SIGKILL, 0) }

// Stop lets it finish what it has in hand, for so long at most, and gives how long it took, and whether it ended.
func (p *Process) Stop(most time.Duration) (took time.Duration, ended bool) {
	begun := time.Now()
	ended = p.end(syscall.SIGTERM, most)
	return time.Since(begun), ended
}

// end is false if it had to be killed in the end.
func (p *Process) end(sig syscall.Signal, most time.Duration) bool {
	p.mu.Lock()
	cmd, ended := p.cmd, p.ended
	p.wanted = false
	if cmd != nil {
		_ = cmd.Process.Signal(sig) // it may have ended just now
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

// Pause stops it where it is; Continue lets it go on.
func (p *Process) Pause() { p.signal(syscall.SIGSTOP) }

// Continue lets it go on.
func (p *Process) Continue() { p.signal(syscall.SIGCONT) }

// Runs says whether it has been started and has not ended. One that is paused runs.
func (p *Process) Runs() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd != nil
}

func (p *Process) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(sig) // it may have ended just now
	}
}
