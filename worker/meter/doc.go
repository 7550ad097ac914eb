// Package meter counts what the workers of a process do, for Prometheus. Every metric is declared in one place
// (metrics.go), and so is every word that a label may have (words.go); docs/metrics.md is made from these.
//
// What it promises:
//
//  1. No label holds anything that came from outside: no app, no user, no call, no error text. Each label has its few
//     words, and what is none of them is counted under one of them.
//  2. A nil *Meter, and what it gives, counts nothing: tests need none.
//  3. Counting never waits, never fails and makes no garbage: the children of labels are resolved beforehand.
//  4. A scrape waits for no more than what a Backlog waits for, and one that can't be read is left out.
package meter

//go:generate go run ./reference
