//go:build readsnextformat

package events

// The formats of the release before that one: it reads and goes on with what it does not begin. It is built for tests
// of upgrades.
const (
	NewestFormat = 3
	BeginFormat  = 2
)
