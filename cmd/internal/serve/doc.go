// Package serve runs workers: it creates the parts of a coordinator, a timeouts worker or an edge, waits for NATS and for
// `ringline setup`, serves health and metrics over HTTP, and stops the parts in order.
//
// A process has one or more roles. The parts of a role are in two groups. Front parts take requests, and stop first. Back
// parts answer, and stop when the front parts have stopped.
package serve
