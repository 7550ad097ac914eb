// Package timeouts turns deadlines that have come due into expire commands. Package store writes and removes deadlines.
//
// Guarantees:
//
//  1. A deadline never fires early. It fires at least once unless it is removed. It may fire twice, and it may fire
//     even after it was removed. So a due message is only a hint: expire decides based on the call alone.
//  2. A slow sweep over the pending deadlines finds those that the server missed.
//  3. A due message is acked once its expire command is stored.
package timeouts
