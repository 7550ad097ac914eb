// Package caller holds the commands that make and show calls: the verbs, line, list and watch.
package caller
