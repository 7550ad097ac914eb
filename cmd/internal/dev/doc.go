// Package dev is `ringline dev`: an embedded NATS server and every worker in one process, with a page in which a developer
// tries calls. It hands out tokens and events to requests from this machine only.
package dev
