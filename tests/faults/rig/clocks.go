//go:build linux

package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The programs that a worker can run, by their clocks.
const (
	Right  = "ringline"
	Ahead  = "ringline-ahead"
	Behind = "ringline-behind"
)

// wrongBy returns the clock error of each program, in seconds.
func wrongBy() map[string]int { return map[string]int{Ahead: 70, Behind: -70} }

// buildClocks builds Ringline with a modified time.Now of the Go standard library. The whole process then has
// the wrong wall clock, including the NATS client and the logger. Durations remain correct.
func (r *Rig) buildClocks(ctx context.Context) error {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("rig: go env GOROOT: %w", err)
	}
	path := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	source, err := os.ReadFile(path) //nolint:gosec // it is Go's
	if err != nil {
		return fmt.Errorf("rig: %w", err)
	}
	const reads = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(source), reads) != 1 {
		return fmt.Errorf("rig: %s reads its clock in an unknown way; update rig/clocks.go for this version of Go", path)
	}
	for name, by := range wrongBy() {
		text := strings.Replace(string(source), reads, fmt.Sprintf("%s\tsec += %d\n", reads, by), 1)
		if err := r.buildWith(ctx, name, path, text); err != nil {
			return err
		}
	}
	return nil
}

// buildWith builds Ringline with one file replaced.
func (r *Rig) buildWith(ctx context.Context, name, path, text string) error {
	changed, overlay := r.path(name+"-changed.go"), r.path(name+"-overlay.json")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		return fmt.Errorf("rig: %w", err)
	}
	for to, data := range map[string][]byte{changed: []byte(text), overlay: list} {
		if err := os.WriteFile(to, data, 0o600); err != nil {
			return fmt.Errorf("rig: %w", err)
		}
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", r.path(name), "./cmd/ringline")
	cmd.Dir = r.cfg.Source
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("rig: build %s: %w\n%s", name, err, out)
	}
	return nil
}

// Use selects the program that the worker runs from its next start on.
func (w *Worker) Use(program string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.path = filepath.Join(filepath.Dir(w.path), program)
}
