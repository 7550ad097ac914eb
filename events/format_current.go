//go:build !nextformat && !readsnextformat

package events

// The formats of this build.
const (
	NewestFormat = 2 // it reads those up to this one
	BeginFormat  = 2 // it begins calls in this one; a call stays in the format in which it began
)
