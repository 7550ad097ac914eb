// Package rooms holds the order of the folders of this module. Imports point one way: a package imports only packages
// that the order lists before it. The test of this package reads every source file, and fails on an import that points
// back, on a package that the order does not list, and on an import of the module tests.
//
//	events     the wire: messages, names, subjects
//	schemas    the wire as JSON schemas, and checks of messages
//	worker     what decides and stores calls, and serves clients
//	timeouts   the worker that acts on deadlines
//	clients    the client library for browsers
//	internal   what tests and commands share: an embedded server, a test device, a link that breaks, the measurement of
//	           `ringline bench`; the program that writes docs/reference.md; checks of the repository
//	cmd        settings, wiring and the command line
//	examples   programs that show how to use Ringline
//
// Another test fails if a function of events, schemas, worker or timeouts returns *events.Error, or a type that
// contains it, instead of error.
//
// Test files may import any package of the module. The module tests may import this one; this one never imports it.
package rooms
