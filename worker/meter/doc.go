// Package meter counts what the workers of a process do, for Prometheus. All metrics are declared in metrics.go, and
// all label values in words.go. docs/metrics.md is generated from them.
//
// What it promises:
//
//  1. No label has a value from outside: no app, no user, no call, no error text. Each label has a closed set of
//     values, and anything else is counted under one of them.
//  2. A nil *Meter, and what it returns, counts nothing. Tests need none.
//  3. Counting never blocks, never fails and does not allocate: all label values are resolved in advance.
//  4. A scrape waits only for the read function of a Backlog or of Oldest. A value that can't be read is left out.
package meter

//go:generate go run ./reference
