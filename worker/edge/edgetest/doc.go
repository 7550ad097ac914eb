// Package edgetest holds an adapter of client sessions against what package session promises: whatever the transport, a
// client must find the same.
//
// Run wants a NATS on which a coordinator and a timeouts worker run. Each test has an app of its own there, and an edge.
package edgetest
