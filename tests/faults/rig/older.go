//go:build linux

package rig

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Older is a program that a worker can run: the same build with another version.
const Older = "ringline-older"

func (r *Rig) buildOlder(ctx context.Context) error {
	path, err := filepath.Abs(filepath.Join(r.cfg.Source, "cmd", "internal", "cli", "version.go"))
	if err != nil {
		return fmt.Errorf("rig: %w", err)
	}
	source, err := os.ReadFile(path) //nolint:gosec // of this repo
	if err != nil {
		return fmt.Errorf("rig: %w", err)
	}
	const reads = "version, revision, changed := info.Main.Version,"
	if strings.Count(string(source), reads) != 1 {
		return fmt.Errorf("rig: %s reads the version in an unknown way; update rig/older.go", path)
	}
	return r.buildWith(ctx, Older, path, strings.Replace(string(source), reads, `version, revision, changed := "v0.0.1",`, 1))
}
