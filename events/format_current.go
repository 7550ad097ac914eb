//go:build !nextformat && !readsnextformat

package events

// The formats of this build.
const (
	NewestFormat = 2 // the newest format that this build reads
	BeginFormat  = 2 // the format of new calls; a call keeps the format that it began with
)
