//go:build nextformat

package events

// The formats of the release that starts to write the next format. This build exists for upgrade tests.
const (
	NewestFormat = 3
	BeginFormat  = 3
)
