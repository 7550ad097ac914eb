//go:build readsnextformat

package events

// The formats of the release before format_next.go. It reads the next format and continues such calls, but begins
// none. This build exists for upgrade tests.
const (
	NewestFormat = 3
	BeginFormat  = 2
)
