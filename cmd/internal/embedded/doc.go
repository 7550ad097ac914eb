// Package embedded runs a NATS server in this process, for `ringline dev` and `ringline bench`, on a folder that one
// process uses at a time.
package embedded
