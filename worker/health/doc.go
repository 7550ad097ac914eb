// Package health is what a process says of itself: whether it is ready, and what is wrong that is no reason to take it
// away from its users. It is shown on /readyz, in the log and as metrics.
//
// A part of a process asks for a condition once, when it is wired, and then reports on it:
//
//	full := h.Degrades(health.Storage)   // it never makes the process unready
//	full.Fail("RINGLINE_CALLS is nearly full")
//	full.OK()
//
// What it promises:
//
//  1. A condition that the process needs fails from the start until its first OK, which is shown at once. A condition
//     that only degrades is fine until it fails.
//  2. After that a state is shown once it has held: a failure for the hold of the condition, an OK for Hold. A failure
//     that ends sooner is never shown. Between two looks a condition that is Sampled holds only if both find the same.
//  3. While a condition fails, its newest reason is shown. A reason is written to the log when it begins, not each time
//     that its text changes. Numbers that move belong in a metric.
//  4. Nothing here blocks or starts goroutines, except Started, which waits. All of it may be used from any goroutine.
//  5. A nil *Health gives nil conditions, and a nil *Condition takes reports and does nothing. Tests need neither.
//
// A condition needs a name from the closed set in names.go, because its name is a label of metrics. Several conditions
// may have the same name.
package health
