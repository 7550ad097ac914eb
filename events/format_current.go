//go:build !nextformat && !readsnextformat

package events

// The formats of this build.
const (
	NewestFormat = 1 // it reads those up to this one
	BeginFormat  = 1 // it begins calls in this one; a call stays in the format in which it began
)
