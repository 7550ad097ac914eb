// Package edgetest is the conformance suite for session adapters. It checks the promises of package session, so that a
// client finds the same behavior on every transport.
//
// Run needs a NATS server on which a coordinator and a timeouts worker run. Each test has its own app and its own edge
// there.
package edgetest
