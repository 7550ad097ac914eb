//go:build nextformat

package events

// The formats of the release that puts the next format into use. It is built for tests of upgrades.
const (
	NewestFormat = 3
	BeginFormat  = 3
)
