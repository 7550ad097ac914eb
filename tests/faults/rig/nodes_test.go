//go:build linux

package rig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The copy of the configuration lacks only the removed part. If that part is missing in the original, it is
// an error.
func TestWithout(t *testing.T) {
	file := filepath.Join("..", "..", "..", "deploy", "nats", "nats.conf")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		without func(string) (string, error)
		gone    string
		stays   []string
	}{
		"alone":    {alone, "$NATS_ROUTES", []string{"sync_interval", "store_dir", "lame_duck_duration"}},
		"unsynced": {unsynced, "sync_interval", []string{"$NATS_ROUTES", "store_dir", "max_file_store", "lame_duck_duration"}},
	} {
		got, err := x.without(string(data))
		if err != nil || strings.Contains(got, x.gone) {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
		for _, s := range x.stays {
			if !strings.Contains(got, s) {
				t.Errorf("%s took %s away too", name, s)
			}
		}
		if _, err := x.without(got); err == nil {
			t.Errorf("%s removes nothing, and reports no error", name)
		}
	}
}
