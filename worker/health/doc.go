// Package health tracks the health of a process: whether it is ready, and which problems it has that are no reason to
// stop sending it traffic. The health is shown on /readyz, in the log and as metrics.
//
// A part of a process creates a condition once, when it is wired, and then reports on it:
//
//	full := h.Degrades(health.Storage)   // it never makes the process unready
//	full.Fail("RINGLINE_CALLS is nearly full")
//	full.OK()
//
// What it promises:
//
//  1. A condition that the process needs fails from the start until its first OK, which is shown at once. A condition
//     that only degrades is OK until it fails.
//  2. After that, a state is shown once it has held: a failure for the hold of the condition, an OK for Hold. A failure
//     that ends sooner is never shown. A Sampled condition holds between two samples only if both find the same state.
//  3. While a condition fails, its latest reason is shown. The log gets a reason when the failure begins, not each time
//     its text changes. Numbers that change belong in a metric.
//  4. Nothing here blocks or starts goroutines, except Started, which waits. Everything is safe for concurrent use.
//  5. A nil *Health returns nil conditions, and a nil *Condition ignores reports. Tests need neither.
//
// A condition has a name from the closed set in names.go, because the name is a label of metrics. Several conditions
// may have the same name.
package health
