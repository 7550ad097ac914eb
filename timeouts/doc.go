// Package timeouts keeps the deadlines of calls as delayed messages, and makes those that come due into expire
// commands.
//
// What it promises:
//
//  1. A deadline never fires early, and it fires at least once unless it was removed; it may fire although it
//     was removed, or twice. So a due message is a hint and no more: expire decides by the call alone.
//  2. Writing a deadline twice is harmless; it is never moved.
//  3. A deadline that the server missed is found by a slow sweep over those that have not come due.
//  4. A due message is acknowledged once its expire command is stored.
package timeouts
