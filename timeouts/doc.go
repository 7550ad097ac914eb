// Package timeouts stores the deadlines of calls as delayed messages and turns due ones into expire commands.
//
// Guarantees:
//
//  1. A deadline never fires early. It fires at least once unless it is removed. It may fire twice, and it may fire
//     even after it was removed. So a due message is only a hint: expire decides based on the call alone.
//  2. Writing a deadline twice is harmless. A deadline never moves.
//  3. A slow sweep over the pending deadlines finds those that the server missed.
//  4. A due message is acked once its expire command is stored.
package timeouts
